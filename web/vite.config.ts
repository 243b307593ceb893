import { defineConfig } from "vite";

export default defineConfig({
  base: "./",
  build: {
    outDir: "../memory_core/interfaces/web/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0, // nothing inline: the page runs under a strict policy
    modulePreload: false,
    rollupOptions: {
      output: {
        entryFileNames: "assets/viewer.js",
        assetFileNames: "assets/[name][extname]",
      },
    },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8766" } },
});
