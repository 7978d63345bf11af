// Builds ../static from node_modules, the templates and the sources in this folder.
// The same input gives the same bytes: CI rebuilds and compares.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { minify } from "terser";

const STATIC = "../static";
const FONTS = {
  inter: ["latin", "latin-ext", "cyrillic"],
  "jetbrains-mono": ["latin"],
};
// Icons that stand in every row of a list: a mask in the style sheet, not an element.
const IN_ROWS = ["arrow-right", "check", "copy", "key-round", "pencil", "trash-2", "undo-2", "x", "chevron-down"];

const licence = (name) => readFileSync(`node_modules/${name}/LICENSE`, "utf8").trim();

/** The drawing of an icon, without the frame around it. */
function drawing(name) {
  const svg = readFileSync(`node_modules/lucide-static/icons/${name}.svg`, "utf8");
  return svg
    .replace(/[\s\S]*?<svg[^>]*>/, "")
    .replace("</svg>", "")
    .replace(/\s*\n\s*/g, "")
    .replaceAll(" />", "/>");
}

const PEN =
  'fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"';

/** One file with every icon of icons.txt, each a symbol to <use>. */
function sprite() {
  const names = readFileSync("icons.txt", "utf8").split("\n").filter(Boolean).sort();
  const symbols = names.map(
    (name) => `<symbol id="${name}" viewBox="0 0 24 24" ${PEN}>${drawing(name)}</symbol>`,
  );
  const notice = `<!-- Lucide icons, lucide.dev, ISC licence -->`;
  return `<svg xmlns="http://www.w3.org/2000/svg">${notice}\n${symbols.join("\n")}\n</svg>\n`;
}

/** The icons of rows as custom properties of the style sheet. */
function masks() {
  const lines = IN_ROWS.map((name) => {
    const pen = PEN.replace("currentColor", "#000");
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" ${pen}>${drawing(name)}</svg>`;
    const safe = svg.replaceAll('"', "'").replace(/[<>#]/g, (c) => encodeURIComponent(c));
    return `--mask-${name}:url("data:image/svg+xml,${safe}");`;
  });
  return `:root{${lines.join("")}}\n`;
}

rmSync(STATIC, { recursive: true, force: true });
mkdirSync(`${STATIC}/fonts`, { recursive: true });
mkdirSync("node_modules/.made", { recursive: true });

for (const [font, subsets] of Object.entries(FONTS)) {
  const files = `node_modules/@fontsource-variable/${font}/files`;
  for (const subset of subsets) {
    copyFileSync(`${files}/${font}-${subset}-wght-normal.woff2`, `${STATIC}/fonts/${font}-${subset}.woff2`);
  }
}
const notices = ["@fontsource-variable/inter", "@fontsource-variable/jetbrains-mono", "daisyui", "htmx.org", "lucide-static", "tailwindcss"];
writeFileSync(
  `${STATIC}/licences.txt`,
  notices.map((name) => `${name}\n\n${licence(name)}\n`).join("\n---\n\n"),
);
writeFileSync(`${STATIC}/icons.svg`, sprite());
writeFileSync("node_modules/.made/masks.css", masks());
// htmx travels in app.js: one request less.
const htmx = readFileSync("node_modules/htmx.org/dist/htmx.min.js", "utf8").trim();
for (const [script, before] of [["theme.js", ""], ["app.js", `${htmx}\n`]]) {
  const { code } = await minify(readFileSync(script, "utf8"), { ecma: 2022, toplevel: true });
  writeFileSync(`${STATIC}/${script}`, `${before}${code}\n`);
}

const tailwind = "node_modules/@tailwindcss/cli/dist/index.mjs";
execFileSync("node", [tailwind, "--input", "app.css", "--output", `${STATIC}/app.css`, "--minify"], {
  stdio: "inherit",
});
