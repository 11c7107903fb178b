/** Checks on a parsed type graph: references in range and of a fitting kind, nothing infinite. */

import { BpfError } from "../errors.ts";
import type { BtfKind, BtfType } from "./btf.ts";

/** Kinds that are not data: nothing can be declared "of" them. */
const NOT_DATA: ReadonlySet<BtfKind> = new Set(["function", "variable", "section", "decl_tag"]);

/**
 * Throws `BpfError` for the first reference that is out of range or of the wrong kind, and for the
 * first type that contains itself.
 */
export function validateTypes(types: readonly BtfType[]): void {
  for (let id = 1; id < types.length; id++) checkReferences(types, id, types[id]!);
  rejectCycles(types);
}

function checkReferences(types: readonly BtfType[], id: number, type: BtfType): void {
  switch (type.kind) {
    case "pointer":
    case "typedef":
    case "volatile":
    case "const":
    case "restrict":
    case "type_tag":
    case "variable":
      checkData(types, id, type.typeId);
      break;
    case "array":
      checkData(types, id, type.elementTypeId);
      checkData(types, id, type.indexTypeId);
      break;
    case "struct":
    case "union":
      for (const member of type.members) checkData(types, id, member.typeId);
      break;
    case "prototype":
      checkData(types, id, type.returnTypeId);
      for (const parameter of type.parameters) checkData(types, id, parameter.typeId);
      break;
    case "function":
      checkKind(types, id, type.typeId, "prototype");
      break;
    case "section":
      for (const variable of type.variables) checkSectionEntry(types, id, variable.typeId);
      break;
    case "decl_tag":
      checkTagged(types, id, type.typeId, type.component);
      break;
    default:
      break;
  }
}

function target(types: readonly BtfType[], id: number, typeId: number): BtfType {
  const type = types[typeId];
  if (type === undefined) {
    return fail(id, `refers to type ${typeId}, but the last one is ${types.length - 1}`);
  }
  return type;
}

function checkData(types: readonly BtfType[], id: number, typeId: number): void {
  const { kind } = target(types, id, typeId);
  if (NOT_DATA.has(kind)) fail(id, `refers to type ${typeId} as data, which is a ${kind}`);
}

function checkKind(types: readonly BtfType[], id: number, typeId: number, kind: BtfKind): void {
  const found = target(types, id, typeId).kind;
  if (found !== kind) fail(id, `refers to type ${typeId}, which is a ${found}, not a ${kind}`);
}

/** `.ksyms` holds functions beside variables; no other kind has a place in a section. */
function checkSectionEntry(types: readonly BtfType[], id: number, typeId: number): void {
  const { kind } = target(types, id, typeId);
  if (kind !== "variable" && kind !== "function") {
    fail(id, `is a section that holds type ${typeId}, which is a ${kind}`);
  }
}

function checkTagged(
  types: readonly BtfType[],
  id: number,
  typeId: number,
  component: number,
): void {
  const tagged = target(types, id, typeId);
  if (component === -1) return;
  const count = componentCount(types, tagged);
  if (component < 0 || component >= count) {
    fail(id, `tags component ${component} of type ${typeId}, which has ${count}`);
  }
}

function componentCount(types: readonly BtfType[], tagged: BtfType): number {
  if (tagged.kind === "struct" || tagged.kind === "union") return tagged.members.length;
  if (tagged.kind !== "function") return 0;
  const prototype = types[tagged.typeId];
  return prototype?.kind === "prototype" ? prototype.parameters.length : 0;
}

const UNSEEN = 0;
const ON_PATH = 1;
const DONE = 2;

/**
 * Depth-first walk along "contains by value": modifiers, typedefs, array elements and members.
 * Pointers end a path, so a list node that points to itself is fine. Iterative, because a chain
 * can be as long as the section.
 */
function rejectCycles(types: readonly BtfType[]): void {
  const state = new Uint8Array(types.length);
  const path: number[] = [];
  const edges: number[] = [];
  for (let root = 1; root < types.length; root++) {
    if (state[root] !== UNSEEN) continue;
    state[root] = ON_PATH;
    path.push(root);
    edges.push(0);
    while (path.length > 0) {
      const id = path[path.length - 1]!;
      const edge = edges[edges.length - 1]!;
      edges[edges.length - 1] = edge + 1;
      const next = contained(types[id]!, edge);
      if (next < 0) {
        state[id] = DONE;
        path.pop();
        edges.pop();
      } else if (state[next] === ON_PATH) {
        fail(next, "contains itself by value");
      } else if (state[next] === UNSEEN) {
        state[next] = ON_PATH;
        path.push(next);
        edges.push(0);
      }
    }
  }
}

/** The `edge`-th type that `type` contains by value, or -1. */
function contained(type: BtfType, edge: number): number {
  switch (type.kind) {
    case "typedef":
    case "volatile":
    case "const":
    case "restrict":
    case "type_tag":
      return edge === 0 ? type.typeId : -1;
    case "array":
      return edge === 0 ? type.elementTypeId : -1;
    case "struct":
    case "union":
      return type.members[edge]?.typeId ?? -1;
    default:
      return -1;
  }
}

function fail(id: number, problem: string): never {
  throw new BpfError("parse BTF", `type ${id} ${problem}`, { hint: "rebuild the object" });
}
