import preact from "@preact/preset-vite";
import { defineConfig } from "vite";

// The server serves index.html at "/" and everything else below "/assets/".
export default defineConfig({
  plugins: [preact({ devToolsEnabled: false })],
  base: "./",
  build: { outDir: "../src/landloom/server/static", emptyOutDir: true, target: "es2022", chunkSizeWarningLimit: 900 },
  server: { proxy: { "/explore": "http://127.0.0.1:8000", "/search": "http://127.0.0.1:8000" } },
});
