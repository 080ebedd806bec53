// Bundles source/ with three.js into the one script that report.html carries.
// The first line names what it was made from, so that a test sees when it was not built again.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { build } from "esbuild";

const files = ["package-lock.json", ...readdirSync("source").sort().map((name) => `source/${name}`)];
const digest = createHash("sha256");
for (const file of files) digest.update(readFileSync(file));

await build({
  entryPoints: ["source/main.js"],
  outfile: "../src/pointlight/report/viewer.js",
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  charset: "utf8",
  legalComments: "inline",
  banner: { js: `/* built from viewer/, sha256 ${digest.digest("hex")} */` },
});
