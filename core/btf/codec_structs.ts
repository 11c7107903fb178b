/** Codecs of structs and unions. */

import type { Btf } from "./btf.ts";
import { type BuildCodec, badValue, display, type ValueCodec } from "./codec_values.ts";
import { type Field, membersOf } from "./layout.ts";
import { describeType } from "./queries.ts";

interface Member {
  readonly name: string;
  readonly field: Field;
  readonly codec: ValueCodec;
}

/** The codec of a struct or union field at offset 0 whose path is empty. */
export function structCodec(btf: Btf, field: Field, build: BuildCodec): ValueCodec {
  const members: Member[] = membersOf(btf, field).map((member) => ({
    name: member.path,
    field: member,
    codec: build(member),
  }));
  const byName = new Map(members.map((member) => [member.name, member]));
  const type = describeType(btf, field.typeId);
  const overlapping = overlap(members);
  return {
    values: members.reduce((sum, member) => sum + member.codec.values, 1),
    read: (view, base) =>
      Object.fromEntries(members.map(({ name, codec }) => [name, codec.read(view, base)])),
    write(view, base, value, path) {
      const given = givenMembers(type, byName, value, path);
      for (const [member, inner] of given) {
        member.codec.write(view, base, inner, join(path, member.name));
      }
      if (overlapping && given.length > 1) rejectConflicts(view, base, given, path);
    },
  };
}

function givenMembers(
  type: string,
  byName: ReadonlyMap<string, Member>,
  value: unknown,
  path: string,
): [Member, unknown][] {
  if (!isRecord(value)) return badValue(path, `is ${display(value)}, not an object for ${type}`);
  const given: [Member, unknown][] = [];
  for (const [name, inner] of Object.entries(value)) {
    const member = byName.get(name);
    if (member === undefined) {
      const known = [...byName.keys()].slice(0, 12).join(", ");
      return badValue(join(path, name), `is not a field of ${type}`, `it has ${known}`);
    }
    if (inner !== undefined) given.push([member, inner]);
  }
  return given;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  return !Array.isArray(value) && !ArrayBuffer.isView(value);
}

/** Whether two members share bits: in a union, and in a struct with an anonymous one. */
function overlap(members: readonly Member[]): boolean {
  const starts = members
    .map(({ field }) => [8 * field.offset + field.bitOffset, field.bits] as const)
    .filter(([, bits]) => bits > 0)
    .sort(([a], [b]) => a - b);
  let end = 0;
  for (const [start, bits] of starts) {
    if (start < end) return true;
    end = start + bits;
  }
  return false;
}

/**
 * Members that share bytes must agree on them: writing one again must change nothing. What decode
 * yields for a union always agrees, so it can be encoded as it is.
 */
function rejectConflicts(
  view: DataView,
  base: number,
  given: readonly (readonly [Member, unknown])[],
  path: string,
): void {
  for (const [{ name, field, codec }, value] of given) {
    const length = Math.ceil((field.bitOffset + field.bits) / 8);
    const bytes = new Uint8Array(view.buffer, view.byteOffset + base + field.offset, length);
    const before = bytes.slice();
    codec.write(view, base, value, join(path, name));
    if (bytes.some((byte, i) => byte !== before[i])) {
      badValue(join(path, name), "contradicts another member of its union", "give one of them");
    }
  }
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
