// Builds static/vendor/ from the locked packages and writes its manifest. Run: npm ci && npm run vendor
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "node_modules");
const target = resolve(here, "../../static/vendor");

// The names of the outline icons that the templates may use; the tag {% icon %} refuses others.
const ICONS = readFileSync(join(here, "icons.txt"), "utf8").split("\n").filter(Boolean);
// Packages that publish no licence file; the texts were taken from their repositories.
const TEXTS = {
  "@tabler/core": join(here, "licences/tabler.txt"),
  bootstrap: join(here, "licences/bootstrap.txt"),
};

function describe(name) {
  const { version, license } = JSON.parse(readFileSync(join(modules, name, "package.json"), "utf8"));
  return { name, version, licence: license };
}

function licenceText(names) {
  return names
    .map((name) => {
      const own = ["LICENSE", "LICENSE.md", "LICENSE.txt"].map((file) => join(modules, name, file)).find(existsSync);
      return `${name}\n${"=".repeat(name.length)}\n\n${readFileSync(TEXTS[name] ?? own, "utf8").trim()}\n`;
    })
    .join("\n");
}

function write(path, text, entry) {
  const file = join(target, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  manifest.push({ file: path, sha256: createHash("sha256").update(text).digest("hex"), ...entry });
}

function tabler() {
  const css = readFileSync(join(modules, "@tabler/core/dist/css/tabler.min.css"), "utf8")
    .replace(/\n?\/\*# sourceMappingURL=.*?\*\/\s*$/, "\n");
  const bundled = [{ name: "bootstrap", version: "5.3", licence: "MIT" }];
  write("tabler/tabler.min.css", css, { ...describe("@tabler/core"), bundled, licence_file: "tabler/LICENCE.txt" });
  write("tabler/LICENCE.txt", licenceText(["@tabler/core", "bootstrap"]), describe("@tabler/core"));
}

function icons() {
  const symbols = ICONS.map((name) => {
    const svg = readFileSync(join(modules, "@tabler/icons/icons/outline", `${name}.svg`), "utf8");
    const body = svg.replace(/<!--[\s\S]*?-->/g, "").replace(/^[\s\S]*?<svg[\s\S]*?>/, "").replace(/<\/svg>\s*$/, "");
    return `<symbol id="${name}" viewBox="0 0 24 24">${body.replace(/\s*\n\s*/g, "")}</symbol>`;
  });
  const sprite = `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols.join("\n")}\n</svg>\n`;
  write("tabler-icons/sprite.svg", sprite, { ...describe("@tabler/icons"), licence_file: "tabler-icons/LICENCE.txt" });
  write("tabler-icons/LICENCE.txt", licenceText(["@tabler/icons"]), describe("@tabler/icons"));
}

async function editor() {
  const result = await build({
    entryPoints: [join(here, "sql-editor.mjs")],
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2022",
    legalComments: "none",
    metafile: true,
    write: false,
    absWorkingDir: here,
  });
  const names = new Set();
  for (const input of Object.keys(result.metafile.inputs)) {
    const parts = relative(modules, join(here, input)).split(sep);
    if (parts[0] !== "..") names.add(parts[0].startsWith("@") ? `${parts[0]}/${parts[1]}` : parts[0]);
  }
  const bundled = [...names].sort().map(describe);
  const entry = { name: "sql-editor", version: describe("@codemirror/view").version, licence: "MIT" };
  const licence_file = "codemirror/LICENCES.txt";
  write("codemirror/sql-editor.js", result.outputFiles[0].text, { ...entry, bundled, licence_file });
  write(licence_file, licenceText(bundled.map((each) => each.name)), entry);
}

const manifest = [];
rmSync(target, { recursive: true, force: true });
tabler();
icons();
await editor();
manifest.sort((a, b) => (a.file < b.file ? -1 : 1));
writeFileSync(join(target, "manifest.json"), JSON.stringify({ files: manifest }, null, 2) + "\n");
for (const each of manifest) console.log(each.file, each.version, each.sha256.slice(0, 12));
