// Builds the page into the Python package. Everything it needs is in the bundle: it never asks another host.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

const modules = fileURLToPath(new URL("./node_modules/", import.meta.url));

/** The basemap under a fixed name, because the Python report draws the same coastlines; and the licences. */
function offlineFiles(): Plugin {
  return {
    name: "offline-files",
    apply: "build",
    generateBundle() {
      this.emitFile({
        type: "asset",
        fileName: "basemap/countries-50m.json",
        source: readFileSync(`${modules}world-atlas/countries-50m.json`),
      });
      const bundled: [string, string][] = [
        ["maplibre-gl", "LICENSE.txt"],
        ["topojson-client", "LICENSE"],
        ["world-atlas", "LICENSE"],
      ];
      const texts = bundled.map(([name, file]) => {
        const path = `${modules}${name}/${file}`;
        if (!existsSync(path)) throw new Error(`${name} has no ${file}: its licence must be in the bundle`);
        return `${name}\n\n${readFileSync(path, "utf8")}`;
      });
      texts.push("Coastlines and borders: Natural Earth, public domain.");
      this.emitFile({ type: "asset", fileName: "third-party-licences.txt", source: texts.join("\n\n----\n\n") });
    },
  };
}

export default defineConfig({
  base: "./",
  publicDir: "public",
  plugins: [offlineFiles()],
  build: {
    outDir: process.env["KEEPCLEAR_STATIC"] ?? "dist",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0, // data: scripts and styles would need a weaker content security policy
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1500,
  },
});
