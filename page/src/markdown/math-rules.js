// Rules of markdown-it for math: $…$, $$…$$, \(…\) and \[…\].

/** Characters of a formula. What is longer stays text. */
const MAX_FORMULA = 2000;
/** Lines of a formula that stands alone. */
const MAX_LINES = 100;
/** Escaped marks inside a formula. */
const MAX_TRIES = 8;

/** Adds the tokens `math_inline` and `math_block`, whose content is TeX. */
export function addMath(md) {
  md.inline.ruler.before("escape", "math", inlineMath);
  md.block.ruler.before("fence", "math", blockMath, { alt: ["paragraph", "reference", "blockquote", "list"] });
}

function inlineMath(state, silent) {
  const found = dollars(state) ?? brackets(state, "\\(", "\\)", false) ?? brackets(state, "\\[", "\\]", true);
  if (!found) return false;
  if (!silent) {
    const token = state.push("math_inline", "math", 0);
    token.content = found.tex;
    token.meta = { display: found.display };
  }
  state.pos = found.end;
  return true;
}

function brackets({ src, pos, posMax }, open, close, display) {
  if (!src.startsWith(open, pos)) return null;
  const from = pos + open.length;
  const end = src.slice(from, Math.min(posMax, from + MAX_FORMULA)).indexOf(close);
  if (end < 1) return null;
  return { tex: src.slice(from, from + end), end: from + end + close.length, display };
}

/** As pandoc: no space inside the dollars, no digit after them, so that prices stay prices. */
function dollars({ src, pos, posMax }) {
  if (src[pos] !== "$") return null;
  const mark = src[pos + 1] === "$" ? "$$" : "$";
  const from = pos + mark.length;
  const text = src.slice(from, Math.min(posMax, from + MAX_FORMULA));
  const at = endOf(text, mark);
  if (at < 1 || (mark === "$" && (/^\s|\s$/.test(text.slice(0, at)) || /\d/.test(text[at + 1] ?? "")))) return null;
  return { tex: text.slice(0, at), end: from + at + mark.length, display: mark === "$$" };
}

/** Where the next mark is that no backslash escapes, or -1. */
function endOf(text, mark) {
  let at = text.indexOf(mark);
  for (let tries = 0; at > 0 && text[at - 1] === "\\" && tries < MAX_TRIES; tries += 1) at = text.indexOf(mark, at + 1);
  return at;
}

/** A formula on lines of its own. Without an end, or across an empty line, it is text. */
function blockMath(state, start, end, silent) {
  if (state.sCount[start] - state.blkIndent >= 4) return false;
  const first = line(state, start);
  const close = first.startsWith("$$") ? "$$" : first.startsWith("\\[") ? "\\]" : null;
  if (close === null) return false;
  const found = upTo(state, start, Math.min(end, start + MAX_LINES), first.slice(2), close);
  if (!found || found.tex.length > MAX_FORMULA) return false;
  if (silent) return true;
  const token = state.push("math_block", "math", 0);
  token.content = found.tex;
  token.map = [start, found.next];
  state.line = found.next;
  return true;
}

function upTo(state, start, end, first, close) {
  const tex = [];
  for (let at = start, text = first; at < end; at += 1, text = at < end ? line(state, at) : "") {
    if (at > start && text === "") return null;
    const where = text.indexOf(close);
    if (where >= 0) {
      // More text after the end: a paragraph with a formula in it.
      return text.slice(where + 2).trim() ? null : { tex: [...tex, text.slice(0, where)].join("\n"), next: at + 1 };
    }
    tex.push(text);
  }
  return null;
}

function line(state, at) {
  return state.src.slice(state.bMarks[at] + state.tShift[at], state.eMarks[at]).trim();
}
