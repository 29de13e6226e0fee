// /highlight.js: colours for code. Loaded when an answer has a block of code with a known language.

import { createLowlight } from "lowlight";
import bash from "highlight.js/lib/languages/bash";
import c from "highlight.js/lib/languages/c";
import cpp from "highlight.js/lib/languages/cpp";
import csharp from "highlight.js/lib/languages/csharp";
import css from "highlight.js/lib/languages/css";
import diff from "highlight.js/lib/languages/diff";
import dockerfile from "highlight.js/lib/languages/dockerfile";
import go from "highlight.js/lib/languages/go";
import ini from "highlight.js/lib/languages/ini";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import kotlin from "highlight.js/lib/languages/kotlin";
import lua from "highlight.js/lib/languages/lua";
import makefile from "highlight.js/lib/languages/makefile";
import markdown from "highlight.js/lib/languages/markdown";
import php from "highlight.js/lib/languages/php";
import python from "highlight.js/lib/languages/python";
import r from "highlight.js/lib/languages/r";
import ruby from "highlight.js/lib/languages/ruby";
import rust from "highlight.js/lib/languages/rust";
import shell from "highlight.js/lib/languages/shell";
import sql from "highlight.js/lib/languages/sql";
import swift from "highlight.js/lib/languages/swift";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";

const lowlight = createLowlight({
  bash, c, cpp, csharp, css, diff, dockerfile, go, ini, java, javascript, json, kotlin, lua, makefile, markdown, php,
  python, r, ruby, rust, shell, sql, swift, typescript, xml, yaml,
});

/** Levels of the tree: beyond them, text only. */
const MAX_DEPTH = 30;

/** Returns the code with spans of classes `hljs-…`; null if the language is not known. */
export function highlight(language, text) {
  const name = language.toLowerCase();
  if (!lowlight.registered(name)) return null;
  const out = document.createDocumentFragment();
  fill(out, lowlight.highlight(name, text).children, 0);
  return out;
}

function fill(parent, nodes, depth) {
  for (const node of nodes) {
    if (node.type === "text") parent.append(document.createTextNode(node.value));
    else if (depth >= MAX_DEPTH) fill(parent, node.children, depth);
    else {
      const span = document.createElement("span");
      span.className = node.properties.className.join(" ");
      fill(span, node.children, depth + 1);
      parent.append(span);
    }
  }
}
