// Builds what the server serves from src/: node build.mjs [DIRECTORY].
// The output is committed, so that neither the wheel nor the Lambda artifact needs Node.

import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "../functions/proxy/tokenwire/web");

const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: { app: "src/app.js", docs: "src/docs.js", markdown: "src/markdown/incremental.js", highlight: "src/late/highlight.js", math: "src/late/math.js" },
  outdir: out,
  bundle: true,
  format: "esm",
  target: "es2023",
  charset: "utf8",
  minify: true,
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
  // Served beside the bundles: /tokenwire.js is the public client, markdown is shared, the others are loaded late.
  external: ["/tokenwire.js", "/markdown.js", "/highlight.js", "/math.js"],
  banner: { js: "/* Built from page/src by page/build.mjs. Licences of others: licenses.txt. */" },
});

/** The packages in the bundles, by the folders that their files came from. */
const packages = new Set();
for (const path of Object.keys(metafile.inputs)) {
  const found = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path);
  if (found) packages.add(found[1]);
}
const texts = [];
for (const name of [...packages].sort()) {
  const folder = join(here, "node_modules", name);
  const { version, license } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  texts.push(`${name} ${version} (${license})\n\n${(await licence(folder)).trim()}\n`);
}
await writeFile(join(out, "licenses.txt"), texts.join(`\n${"-".repeat(80)}\n\n`));

async function licence(folder) {
  for (const name of ["LICENSE", "license", "LICENSE.md", "LICENSE.txt", "LICENSE-MIT.txt", "LICENCE"]) {
    try {
      return await readFile(join(folder, name), "utf8");
    } catch {
      // The next name.
    }
  }
  throw new Error(`There is no licence in ${folder}.`);
}
