/** Reads valgrind's report (XML, protocol 4): which of its errors are the addon's. */

/** Most of bpf(2) is new to valgrind: to it, libbpf reads, and hands on, what nobody ever wrote. */
const ABOUT_UNWRITTEN_MEMORY = new Set(["SyscallParam", "UninitCondition", "UninitValue"]);

const ADDON = /tapio_bpf\.node$/;
const LIBBPF = /\/libbpf\.so/;
/** Frames that only do what their caller asked for. */
const PASSIVE = /\/(?:libc|libstdc\+\+|ld-linux[^/]*|vgpreload_[^/]*)\.so/;

interface Frame {
  readonly object: string;
  readonly text: string;
}

function tag(xml: string, name: string): string {
  const text = new RegExp(`<${name}>(.*?)</${name}>`, "s").exec(xml)?.[1] ?? "";
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&");
}

/** Frames of the stack that the error is about, innermost first. */
function frames(error: string): Frame[] {
  const stack = /<stack>(.*?)<\/stack>/s.exec(error)?.[1] ?? "";
  return [...stack.matchAll(/<frame>(.*?)<\/frame>/gs)].map(([, frame]) => {
    const file = tag(frame!, "file");
    const place = file === "" ? tag(frame!, "obj") : `${file}:${tag(frame!, "line")}`;
    return { object: tag(frame!, "obj"), text: `${tag(frame!, "fn") || "?"} (${place})` };
  });
}

function isOwn(kind: string, stack: readonly Frame[]): boolean {
  // What the addon or libbpf on its behalf allocated is the addon's to release.
  if (kind.startsWith("Leak_")) return stack.some(({ object }) => ADDON.test(object));
  const own = stack.filter(({ object }) => ADDON.test(object) || LIBBPF.test(object));
  const acting = stack.find(({ object }) => !PASSIVE.test(object));
  if (acting === undefined || !own.includes(acting)) return false;
  return !(ABOUT_UNWRITTEN_MEMORY.has(kind) && own.some(({ object }) => LIBBPF.test(object)));
}

/** Errors of the addon as text, each with its stack. Throws where the report is not complete. */
export function ownErrors(report: string): string[] {
  if (!report.trimEnd().endsWith("</valgrindoutput>")) {
    throw new Error("valgrind's report is cut short: the process did not end by itself");
  }
  const errors: string[] = [];
  for (const [, error] of report.matchAll(/<error>(.*?)<\/error>/gs)) {
    const kind = tag(error!, "kind");
    const stack = frames(error!);
    if (!isOwn(kind, stack)) continue;
    const what = tag(error!, "what") || tag(tag(error!, "xwhat"), "text");
    const shown = stack.slice(0, 1 + stack.findLastIndex(({ object }) => ADDON.test(object)));
    errors.push([`${kind}: ${what}`, ...shown.map(({ text }) => `  ${text}`)].join("\n"));
  }
  return errors;
}
