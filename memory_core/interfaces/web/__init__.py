"""HTTP: the API that programs use, and the viewer for people."""
