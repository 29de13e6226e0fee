// Copies the client that the page serves, and the licence, into the package: there is one source.
import { copyFileSync } from "node:fs";

const root = new URL("../../", import.meta.url);
const web = new URL("functions/proxy/tokenwire/web/", root);
for (const name of ["tokenwire.js", "tokenwire.d.ts"]) copyFileSync(new URL(name, web), new URL(name, import.meta.url));
copyFileSync(new URL("LICENSE", root), new URL("LICENSE", import.meta.url));
