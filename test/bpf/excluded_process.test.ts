/** What `excluded_pid` leaves out: the doing of that process, whoever is interrupted by it. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CollectorMachine, openCollector } from "../support/collector_machine.ts";

const COLLECTOR = 500;
const OTHER = 600;
const [SYN_SENT, ESTABLISHED, SYN_RECV, CLOSE, LISTEN] = [2, 1, 3, 7, 10];

let machine: CollectorMachine;
afterEach(() => machine.close());

describe("changes of TCP connections", () => {
  beforeEach(async () => {
    machine = await openCollector("tcp_monitor", { constants: { excluded_pid: COLLECTOR } });
  });

  /** A change of state in the name of a process; the new states that were reported. */
  function change(pid: number, socket: number, oldstate: number, newstate: number): number[] {
    machine.becomeThread(pid);
    const fields = { skaddr: socket, oldstate, newstate, protocol: 6, family: 2 };
    machine.run(1000, "tcp_state", "trace_event_raw_inet_sock_set_state", fields);
    return machine.events<{ new_state: number }>("tcp_event").map(({ new_state }) => new_state);
  }

  function retransmit(pid: number, socket: number): number {
    machine.becomeThread(pid);
    const fields = { skaddr: socket, state: ESTABLISHED, family: 2 };
    machine.run(1000, "tcp_retransmit", "trace_event_raw_tcp_retransmit_skb", fields);
    return machine.events("tcp_event").length;
  }

  it("that it opened are left out, also where they interrupt another process", () => {
    expect(change(COLLECTOR, 1, CLOSE, SYN_SENT)).toEqual([]);
    expect(change(OTHER, 1, SYN_SENT, ESTABLISHED)).toEqual([]);
    expect(retransmit(OTHER, 1)).toBe(0);
    expect(change(OTHER, 1, ESTABLISHED, CLOSE)).toEqual([]);
  });

  it("that another process opened are reported, also where they interrupt this one", () => {
    expect(change(OTHER, 1, CLOSE, SYN_SENT)).toEqual([SYN_SENT]);
    expect(change(COLLECTOR, 1, SYN_SENT, ESTABLISHED)).toEqual([ESTABLISHED]);
    expect(retransmit(COLLECTOR, 1)).toBe(1);
    expect(change(COLLECTOR, 1, ESTABLISHED, CLOSE)).toEqual([CLOSE]);
  });

  it("that nobody is known to have opened are reported", () => {
    expect(change(COLLECTOR, 1, LISTEN, SYN_RECV)).toEqual([SYN_RECV]);
    expect(change(COLLECTOR, 1, SYN_RECV, ESTABLISHED)).toEqual([ESTABLISHED]);
    expect(retransmit(COLLECTOR, 1)).toBe(1);
    expect(retransmit(COLLECTOR, 2)).toBe(1);
  });

  it("are its own no more when another process opens one at the same address", () => {
    expect(change(COLLECTOR, 1, CLOSE, SYN_SENT)).toEqual([]);
    expect(change(COLLECTOR, 1, SYN_SENT, CLOSE)).toEqual([]);
    expect(change(OTHER, 1, CLOSE, SYN_SENT)).toEqual([SYN_SENT]);
  });
});

describe("system calls", () => {
  beforeEach(async () => {
    machine = await openCollector("syscall_monitor", { constants: { excluded_pid: COLLECTOR } });
  });

  it.each([
    ["of its threads are left out", COLLECTOR, 0],
    ["of other processes are reported", OTHER, 1],
  ])("%s", (_, pid, reported) => {
    machine.becomeThread(pid + 1, pid);
    machine.run(1000, "syscall_enter", "trace_event_raw_sys_enter", { id: 5 });
    machine.run(1300, "syscall_exit", "trace_event_raw_sys_exit", { id: 5, ret: 0 });
    expect(machine.events("syscall_event")).toHaveLength(reported);
  });
});
