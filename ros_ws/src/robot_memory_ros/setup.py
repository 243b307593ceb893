"""Installs the nodes."""

from setuptools import find_packages, setup

NAME = 'robot_memory_ros'

setup(
    name=NAME,
    version='0.1.0',
    packages=find_packages(exclude=['test']),
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{NAME}']),
        (f'share/{NAME}', ['package.xml']),
    ],
    install_requires=['setuptools'],
    zip_safe=True,
    maintainer='Robot Memory developers',
    maintainer_email='robot-memory@example.org',
    description='Nodes of an embodied robot memory.',
    license='Apache-2.0',
    extras_require={'test': ['pytest']},
    entry_points={
        'console_scripts': [
            f'ask = {NAME}.ask:main',
            f'draw_markers = {NAME}.draw_markers:main',
            f'memory_node = {NAME}.memory_node:main',
            f'perception_node = {NAME}.perception_node:main',
            f'replay_node = {NAME}.replay_node:main',
            f'planner_node = {NAME}.planner_node:main',
            f'sim_node = {NAME}.sim_node:main',
        ],
    },
)
