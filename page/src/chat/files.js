// Files that are sent with a message: images, texts, and others as they are.

export const MAX_FILES = 10;
/** Bytes of one file. */
export const MAX_FILE = 5 * 1024 * 1024;

/** Reads a file of the user: `{name, type, blob}` or `{name, type, text}`. */
export async function readFile(file) {
  const { name, type } = file;
  if (file.size > MAX_FILE) throw new Error(`${name} has more than 5 MB.`);
  if (type.startsWith("image/") || type === "application/pdf" || type.startsWith("audio/")) return { name, type, blob: file };
  const text = textOf(new Uint8Array(await file.arrayBuffer()));
  return text === null ? { name, type: type || "application/octet-stream", blob: file } : { name, type, text };
}

function textOf(bytes) {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return text.includes("\0") ? null : text;
  } catch {
    return null;
  }
}

/** A file as a part of a message. */
export async function partOf({ name, type, blob, text }) {
  if (!blob) return { type: "text", text: `${name}:\n\n${text}` };
  const url = await dataUrl(blob, type);
  if (type.startsWith("image/")) return { type: "image_url", image_url: { url } };
  return { type: "file", file: { filename: name, file_data: url } };
}

export function dataUrl(blob, type) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(type === blob.type ? blob : new Blob([blob], { type }));
  });
}
