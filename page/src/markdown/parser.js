// Markdown as a list of tokens: markdown-it, without HTML, with math, and with bounds.
//
// The source is untrusted: nesting, the length of a paragraph, and of a formula are bounded, and no
// text is lost where a bound is reached. It is shown as it was written.

import MarkdownIt from "markdown-it";
import { addMath } from "./math-rules.js";

const SAFE_LINK = /^(https?:|mailto:)/i;
/** Levels of blocks and of inline elements. */
const MAX_LEVELS = 24;
/** Characters of one paragraph, heading or cell in which marks are looked for. */
const MAX_INLINE = 32 * 1024;

/** Returns a parser: `parse(text, env)` returns markdown-it's tokens. */
export function createParser() {
  const md = new MarkdownIt({ html: false, linkify: true, typographer: false, maxNesting: MAX_LEVELS });
  md.validateLink = (url) => SAFE_LINK.test(url.trim());
  md.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false });
  for (const scheme of ["ftp:", "//"]) md.linkify.add(scheme, null);
  md.block.ruler.before("table", "deep", deep, { alt: ["paragraph", "reference", "blockquote", "list"] });
  md.inline.ruler.before("autolink", "break", lineBreak);
  md.core.ruler.at("inline", inline);
  addMath(md);
  return md;
}

/** Deeper blocks are one paragraph of plain text: markdown-it would leave them out. */
function deep(state, start, end, silent) {
  if (state.level < MAX_LEVELS - 4) return false;
  if (silent) return true;
  const token = state.push("plain", "p", 0);
  token.content = state.getLines(start, end, state.blkIndent, false).trim();
  token.map = [start, end];
  state.line = end;
  return true;
}

/** `<br>`, which models write in the cells of tables. No other HTML has a meaning. */
function lineBreak(state, silent) {
  if (state.src[state.pos] !== "<") return false;
  const found = /^<br *\/?>/i.exec(state.src.slice(state.pos, state.pos + 8));
  if (!found) return false;
  if (!silent) state.push("hardbreak", "br", 0);
  state.pos += found[0].length;
  return true;
}

function inline(state) {
  for (const token of state.tokens) {
    if (token.type !== "inline") continue;
    if (token.content.length > MAX_INLINE) token.children = [plain(state, token.content)];
    else state.md.inline.parse(token.content, state.md, state.env, token.children);
  }
}

function plain(state, content) {
  const token = new state.Token("text", "", 0);
  token.content = content;
  return token;
}
