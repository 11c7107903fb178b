/** Lines of a tab-separated recording as records, with contexts as the recorded kernel lays them out. */

import { BpfError } from "#core/errors.ts";
import { LINUX_6_18_HOOKS as HOOKS } from "#core/trace/linux_hooks.ts";
import type { HookLayout } from "#core/trace/schema.ts";
import { COMM_BYTES } from "#core/trace/task_facts.ts";
import { mapIpv4, parseIpv4, parseIpv6, unmapIpv4 } from "./addresses.ts";
import { RECORD, RECORD_BYTES_MAX, type RecordSink, TID_MAX } from "./import_record.ts";
import { type Halves, parseDecimal, parseHexadecimal, parseSigned, subtract } from "./numbers.ts";
import { LATENCY, SYSTEM_CALL_LENGTH } from "./system_call_pairs.ts";

const AF_INET = 2;
const AF_INET6 = 10;
/** The recording does not say, but these tracepoints were recorded for TCP. */
const IPPROTO_TCP = 6;

const KIND_S = 0x53;
const KIND_R = 0x52;
const KIND_Y = 0x59;

/** Columns of each kind of line; the first seven are common. */
const COLUMNS = {
  S: "kind ts_ns cpu pid tid comm cgroup_id skaddr oldstate newstate sport dport family saddr daddr",
  R: "kind ts_ns cpu pid tid comm cgroup_id skaddr state sport dport family saddr daddr",
  Y: "kind ts_ns cpu pid tid comm cgroup_id syscall_nr ret latency_ns",
} as const;
const NAMES = {
  S: COLUMNS.S.split(" "),
  R: COLUMNS.R.split(" "),
  Y: COLUMNS.Y.split(" "),
};
const COLUMNS_MAX = NAMES.S.length;

/** Where a field lies in a record that holds a context of `hook`. */
function at(hook: HookLayout, field: string): number {
  const found = hook.fields.find(({ name }) => name === field);
  if (found === undefined) throw new Error(`${hook.hook} has no field ${field}`);
  return RECORD.context + found.offset;
}

const ENTRY_PID = at(HOOKS.sys_enter, "ent.pid");
const S_SKADDR = at(HOOKS.inet_sock_set_state, "skaddr");
const S_OLD = at(HOOKS.inet_sock_set_state, "oldstate");
const S_NEW = at(HOOKS.inet_sock_set_state, "newstate");
const S_PROTOCOL = at(HOOKS.inet_sock_set_state, "protocol");
const R_SKADDR = at(HOOKS.tcp_retransmit_skb, "skaddr");
const R_STATE = at(HOOKS.tcp_retransmit_skb, "state");
const EXIT_ID = at(HOOKS.sys_exit, "id");
const EXIT_RET = at(HOOKS.sys_exit, "ret");

interface EndpointOffsets {
  readonly sport: number;
  readonly dport: number;
  readonly family: number;
  readonly saddr: number;
  readonly daddr: number;
  readonly saddr_v6: number;
  readonly daddr_v6: number;
}

function endpointOffsets(hook: HookLayout): EndpointOffsets {
  return {
    sport: at(hook, "sport"),
    dport: at(hook, "dport"),
    family: at(hook, "family"),
    saddr: at(hook, "saddr"),
    daddr: at(hook, "daddr"),
    saddr_v6: at(hook, "saddr_v6"),
    daddr_v6: at(hook, "daddr_v6"),
  };
}

const S_ENDPOINTS = endpointOffsets(HOOKS.inet_sock_set_state);
const R_ENDPOINTS = endpointOffsets(HOOKS.tcp_retransmit_skb);

/** Parses one line after another; `counts` and `cpus` say what came by. */
export class TsvParser {
  readonly counts = { S: 0, R: 0, Y: 0 };
  /** One more than the highest CPU number seen. */
  cpus = 1;
  readonly #operation: string;
  readonly #sink: RecordSink;
  readonly #record = new Uint8Array(RECORD_BYTES_MAX);
  readonly #view = new DataView(this.#record.buffer);
  readonly #starts = new Int32Array(COLUMNS_MAX + 1);
  #bytes: Uint8Array = this.#record;
  #line = 0;
  #names: readonly string[] = NAMES.Y;
  readonly #time: Halves = { high: 0, low: 0 };
  readonly #number: Halves = { high: 0, low: 0 };

  /** `operation` starts the message of every error (`"trace import web.tsv"`). */
  constructor(operation: string, sink: RecordSink) {
    this.#operation = operation;
    this.#sink = sink;
  }

  /**
   * Hands the line's record to the sink: an event, or a whole system call with its latency. Throws
   * `BpfError` with the line's number and a reason.
   */
  parse(bytes: Uint8Array, start: number, end: number, line: number): void {
    this.#bytes = bytes;
    this.#line = line;
    switch (bytes[start + 1] === 0x09 ? bytes[start] : -1) {
      case KIND_S:
        this.#split(start, end, NAMES.S);
        this.#parseStateChange();
        break;
      case KIND_R:
        this.#split(start, end, NAMES.R);
        this.#parseRetransmit();
        break;
      case KIND_Y:
        this.#split(start, end, NAMES.Y);
        this.#parseSystemCall();
        break;
      default:
        throw this.#problem("it starts with none of the kinds S, R and Y");
    }
  }

  #parseStateChange(): void {
    this.#parseCommon(HOOKS.inet_sock_set_state);
    const length = RECORD.context + HOOKS.inet_sock_set_state.size;
    this.#parseAddress(7, S_SKADDR);
    this.#view.setInt32(S_OLD, this.#integer(8, 0x7fffffff), true);
    this.#view.setInt32(S_NEW, this.#integer(9, 0x7fffffff), true);
    this.#view.setUint16(S_PROTOCOL, IPPROTO_TCP, true);
    this.#parseEndpoints(10, S_ENDPOINTS);
    this.counts.S++;
    this.#emit(length);
  }

  #parseRetransmit(): void {
    this.#parseCommon(HOOKS.tcp_retransmit_skb);
    const length = RECORD.context + HOOKS.tcp_retransmit_skb.size;
    this.#parseAddress(7, R_SKADDR);
    this.#view.setInt32(R_STATE, this.#integer(8, 0x7fffffff), true);
    this.#parseEndpoints(9, R_ENDPOINTS);
    this.counts.R++;
    this.#emit(length);
  }

  #parseSystemCall(): void {
    this.#parseCommon(HOOKS.sys_exit);
    this.#number64(parseSigned, 7, "a number");
    this.#setHalves(EXIT_ID, this.#number);
    this.#number64(parseSigned, 8, "a number");
    this.#setHalves(EXIT_RET, this.#number);
    this.#number64(parseDecimal, 9, "a number of nanoseconds");
    this.#setHalves(LATENCY, this.#number);
    if (!subtract(this.#time, this.#number)) throw this.#problem("latency_ns exceeds ts_ns");
    this.counts.Y++;
    this.#emit(SYSTEM_CALL_LENGTH);
  }

  /** Fills in everything but the time, the length and the hook's own fields. */
  #parseCommon(hook: HookLayout): void {
    this.#record.fill(0);
    this.#number64(parseDecimal, 1, "a number of nanoseconds");
    this.#time.high = this.#number.high;
    this.#time.low = this.#number.low;
    this.#setHalves(RECORD.timeLow, this.#number);
    const cpu = this.#integer(2, 0xffff);
    const tid = this.#integer(4, TID_MAX);
    this.#view.setUint16(RECORD.cpu, cpu, true);
    this.#view.setUint8(RECORD.hook, hook.id);
    this.#view.setUint32(RECORD.pid, this.#integer(3, TID_MAX), true);
    this.#view.setUint32(RECORD.tid, tid, true);
    this.#view.setInt32(ENTRY_PID, tid, true);
    this.#number64(parseDecimal, 6, "a number");
    this.#setHalves(RECORD.cgroup_id, this.#number);
    this.#parseComm(5);
    if (cpu >= this.cpus) this.cpus = cpu + 1;
  }

  #parseComm(column: number): void {
    const start = this.#starts[column]!;
    const length = this.#starts[column + 1]! - 1 - start;
    if (length >= COMM_BYTES) throw this.#problem(`comm has more than ${COMM_BYTES - 1} bytes`);
    for (let i = 0; i < length; i++) this.#record[RECORD.comm + i] = this.#bytes[start + i]!;
  }

  /** Ports, family and addresses, from `column` on. */
  #parseEndpoints(column: number, to: EndpointOffsets): void {
    const family = this.#integer(column + 2, 0xffff);
    if (family !== AF_INET && family !== AF_INET6) {
      throw this.#problem(`family is ${family}, not ${AF_INET} (IPv4) or ${AF_INET6} (IPv6)`);
    }
    this.#view.setUint16(to.sport, this.#integer(column, 0xffff), true);
    this.#view.setUint16(to.dport, this.#integer(column + 1, 0xffff), true);
    this.#view.setUint16(to.family, family, true);
    this.#parseIp(column + 3, family, to.saddr, to.saddr_v6);
    this.#parseIp(column + 4, family, to.daddr, to.daddr_v6);
  }

  #parseIp(column: number, family: number, to: number, to_v6: number): void {
    const [start, end] = this.#range(column);
    const text = Buffer.from(this.#bytes.subarray(start, end)).toString("latin1");
    const address = family === AF_INET ? parseIpv4(text) : parseIpv6(text);
    const version = family === AF_INET ? "IPv4" : "IPv6";
    if (address === null) throw this.#malformed(column, `an ${version} address`);
    this.#record.set(family === AF_INET ? address : unmapIpv4(address), to);
    this.#record.set(family === AF_INET ? mapIpv4(address) : address, to_v6);
  }

  /** A kernel address. */
  #parseAddress(column: number, to: number): void {
    this.#number64(parseHexadecimal, column, "a hexadecimal address");
    this.#setHalves(to, this.#number);
  }

  /** A decimal number of at most `max`, which is below 2^32. */
  #integer(column: number, max: number): number {
    const [start, end] = this.#range(column);
    const valid = parseDecimal(this.#bytes, start, end, this.#number);
    if (!valid || this.#number.high !== 0 || this.#number.low > max) {
      throw this.#malformed(column, `a number from 0 to ${max}`);
    }
    return this.#number.low;
  }

  #number64(parse: typeof parseDecimal, column: number, what: string): void {
    const [start, end] = this.#range(column);
    if (!parse(this.#bytes, start, end, this.#number)) throw this.#malformed(column, what);
  }

  #setHalves(to: number, value: Halves): void {
    this.#view.setUint32(to, value.low, true);
    this.#view.setUint32(to + 4, value.high, true);
  }

  #emit(length: number): void {
    this.#view.setUint16(RECORD.length, length, true);
    this.#sink(this.#record, length);
  }

  /** Finds where the columns start; entry i + 1 is one behind the tab that ends column i. */
  #split(start: number, end: number, names: readonly string[]): void {
    this.#names = names;
    let columns = 0;
    this.#starts[0] = start;
    for (let at = start; at <= end; at++) {
      if (at !== end && this.#bytes[at] !== 0x09) continue;
      columns++;
      if (columns <= names.length) this.#starts[columns] = at + 1;
    }
    if (columns === names.length) return;
    throw this.#problem(`it has ${columns} columns instead of ${names.length}`);
  }

  #range(column: number): readonly [number, number] {
    return [this.#starts[column]!, this.#starts[column + 1]! - 1];
  }

  #malformed(column: number, wanted: string): BpfError {
    const [start, end] = this.#range(column);
    const shown = Buffer.from(this.#bytes.subarray(start, Math.min(end, start + 40)));
    const text = JSON.stringify(shown.toString("latin1"));
    return this.#problem(`${this.#names[column]} is ${text}, not ${wanted}`);
  }

  #problem(problem: string): BpfError {
    return new BpfError(this.#operation, `line ${this.#line}: ${problem}`);
  }
}
