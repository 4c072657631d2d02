import preact from "@preact/preset-vite";
import { defineConfig } from "vite";

const STATIC = "../../../src/landloom/server/static";

// One page a mode, each with its own folder: the explorer at "/", the annotation page at "/annotate/".
const PAGES: Record<string, { out: string; proxied: string[] }> = {
  explore: { out: STATIC, proxied: ["/explore", "/search"] },
  annotate: { out: `${STATIC}/annotate`, proxied: ["/annotate/api"] },
};

export default defineConfig(({ mode }) => {
  const page = PAGES[mode];
  if (!page) throw new Error(`got mode ${mode}, expected one of ${Object.keys(PAGES).join(", ")}`);
  return {
    root: `pages/${mode}`,
    cacheDir: `../../node_modules/.vite-${mode}`,
    plugins: [preact({ devToolsEnabled: false })],
    base: "./",
    // Under a strict content security policy nothing may stand in the document itself: neither assets nor a polyfill.
    build: {
      outDir: page.out,
      emptyOutDir: true,
      target: "es2022",
      chunkSizeWarningLimit: 900,
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
    },
    server: { proxy: Object.fromEntries(page.proxied.map((path) => [path, "http://127.0.0.1:8000"])) },
  };
});
