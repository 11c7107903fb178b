/** Fields of a layout by their path. */

import { BpfError } from "../errors.ts";
import type { Btf } from "./btf.ts";
import { elementOf, type Field, joinPath, type Layout, membersOf } from "./layout.ts";

/**
 * The field at a path: names with dots between, elements as `[2]` (`"conns[2].source.port"`); `""`
 * is the whole type. Throws `BpfError` naming the first part that does not exist.
 */
export function findField(layout: Layout, path: string): Field {
  let field = layout.root;
  for (const part of splitPath(path)) {
    field =
      typeof part === "number"
        ? elementOf(layout.btf, field, part)
        : memberNamed(layout, field, part);
  }
  return field;
}

function memberNamed(layout: Layout, field: Field, name: string): Field {
  const path = joinPath(field.path, name);
  const members = membersByName(layout.btf, field);
  const found = members.get(name);
  if (found !== undefined) return { ...found, path, offset: field.offset + found.offset };
  const names = [...members.keys()];
  const some = names.length > 12 ? [...names.slice(0, 12), "…"] : names;
  throw new BpfError("find BTF field", `${layout.name} has no field "${path}"`, {
    hint: names.length === 0 ? `"${field.path}" is a ${field.kind}` : `use ${some.join(", ")}`,
  });
}

/** Members by name, as in a field at offset 0; by type, and gone with the `Btf`. */
const memberIndexes = new WeakMap<Btf, Map<number, ReadonlyMap<string, Field>>>();

/** Built on the first search in a type: readers of one struct look up many of its members. */
function membersByName(btf: Btf, field: Field): ReadonlyMap<string, Field> {
  const known = memberIndexes.get(btf) ?? new Map<number, ReadonlyMap<string, Field>>();
  memberIndexes.set(btf, known);
  let members = known.get(field.typeId);
  if (members === undefined) {
    const nameStart = field.path === "" ? 0 : field.path.length + 1;
    members = new Map(
      membersOf(btf, field).map((member) => {
        const path = member.path.slice(nameStart);
        return [path, { ...member, path, offset: member.offset - field.offset }];
      }),
    );
    known.set(field.typeId, members);
  }
  return members;
}

const PATH_PART = /\.?([A-Za-z_$\u0080-\uffff][\w$\u0080-\uffff]*)|\[(\d{1,10})\]/y;

function splitPath(path: string): (string | number)[] {
  const parts: (string | number)[] = [];
  PATH_PART.lastIndex = 0;
  for (let at = 0; at < path.length; at = PATH_PART.lastIndex) {
    PATH_PART.lastIndex = at;
    const match = PATH_PART.exec(path);
    const dotFits = match?.[1] === undefined || match[0].startsWith(".") === at > 0;
    if (match === null || !dotFits) {
      throw new BpfError("find BTF field", `"${path}" is not a path`, {
        hint: 'write it like "header.pid" or "args[2]"',
      });
    }
    parts.push(match[1] ?? Number(match[2]));
  }
  return parts;
}
