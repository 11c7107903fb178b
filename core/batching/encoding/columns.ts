/** How records are cut into columns, and which earlier record predicts a value. */
import type { RecordField, RecordSchema } from "./record_schema.ts";

/** A column is `width` (1 to 8) bytes at `offset` of every record, as an unsigned little-endian number. */
export interface Column {
  readonly offset: number;
  readonly width: number;
}

/**
 * Columns of records that are stored together: the headers of all, or the bodies of one struct.
 * Together its columns cover every byte, padding too.
 */
export interface ColumnGroup {
  readonly columns: readonly Column[];
  /** Keys whose latest record with an equal key may predict a value. */
  readonly contexts: readonly (readonly Column[])[];
  /** First columns of the group that are keys themselves, which nothing but the record before predicts. */
  readonly keyColumns: readonly boolean[];
}

/** Fields that make a record resemble the last one that agrees in them, in the order of their numbers. */
const HEADER_CONTEXTS: readonly (readonly string[])[] = [["cpu", "program"], ["tid"]];
const BODY_CONTEXTS: readonly (readonly string[])[] = [["socket"]];

function pieces(offset: number, size: number): Column[] {
  const columns: Column[] = [];
  for (let at = 0; at < size; ) {
    const width = Math.min(8, size - at);
    columns.push({ offset: offset + at, width });
    at += width;
  }
  return columns;
}

function columnsOf(fields: readonly RecordField[], start: number, end: number): Column[] {
  const columns: Column[] = [];
  let at = start;
  for (const { offset, size } of fields) {
    columns.push(...pieces(at, offset - at), ...pieces(offset, size));
    at = offset + size;
  }
  columns.push(...pieces(at, end - at));
  return columns;
}

function contextsOf(
  names: readonly (readonly string[])[],
  fields: readonly RecordField[],
): Column[][] {
  const known = names.filter((keys) =>
    keys.every((name) => fields.some((field) => field.name === name && field.size <= 8)),
  );
  return known.map((keys) =>
    keys.map((name) => {
      const { offset, size } = fields.find((field) => field.name === name)!;
      return { offset, width: size };
    }),
  );
}

function group(columns: readonly Column[], contexts: Column[][], type?: number): ColumnGroup {
  const keys = new Set(contexts.flat().map(({ offset }) => offset));
  if (type !== undefined) keys.add(type);
  return { columns, contexts, keyColumns: columns.map(({ offset }) => keys.has(offset)) };
}

/** The header's group, then one for the body of each struct. */
export function columnGroups(schema: RecordSchema): readonly ColumnGroup[] {
  const { header, structs } = schema;
  const type = header.fields.find(({ name }) => name === "type")?.offset;
  const headerContexts = contextsOf(HEADER_CONTEXTS, header.fields);
  const groups = [group(columnsOf(header.fields, 0, header.size), headerContexts, type)];
  for (const struct of structs) {
    const contexts = [...headerContexts, ...contextsOf(BODY_CONTEXTS, struct.fields)];
    groups.push(group(columnsOf(struct.fields, header.size, struct.size), contexts));
  }
  return groups;
}
