import { beforeEach, expect, it } from "vitest";
import type { RuntimeInstance } from "#wasm/instance.ts";
import { Hooks } from "#wasm/world/hooks.ts";
import { thrown } from "../../support/thrown.ts";
import { createInstance, link, loadProgram } from "../program_fixture.ts";

let instance: RuntimeInstance;
let hooks: Hooks;
let program: number;
beforeEach(async () => {
  instance = await createInstance();
  hooks = new Hooks(instance);
  program = loadProgram(instance, link("mov %r0, 0\nexit")).handle;
});

it("every spelling of a section is the same hook", () => {
  const id = hooks.define("tracepoint/sock/inet_sock_set_state", 72);
  for (const name of ["tp/sock/inet_sock_set_state", "?tp/sock/inet_sock_set_state"]) {
    expect(hooks.define(name, 72)).toBe(id);
  }
  expect(hooks.define("tp/sock/other", 72)).not.toBe(id);
});

it("contexts of one hook have one size", () => {
  hooks.define("tp/a/b", 16);
  expect(thrown(() => hooks.define("tp/a/b", 24)).message).toMatch(/hook tp\/a\/b: .*another size/);
});

it("a section that names no hook cannot be attached", () => {
  expect(thrown(() => hooks.attach("tp", program)).message).toMatch(/section tp/);
});

it("what is no program cannot be attached", () => {
  expect(thrown(() => hooks.attach("tp/a/b", 4000)).message).toMatch(
    /attach to tracepoint\/a\/b: there is no such program/,
  );
});

it("a hook takes 16 programs, and another one once a place is free", () => {
  const detach = Array.from({ length: 16 }, () => hooks.attach("tp/a/b", program));
  expect(thrown(() => hooks.attach("tp/a/b", program)).message).toMatch(/too many programs/);
  detach[3]!();
  hooks.attach("tp/a/b", program);
});

it("the 257th hook is refused", () => {
  for (let i = 0; i < 256; i++) hooks.define(`tp/a/${i}`, 8);
  expect(thrown(() => hooks.define("tp/a/256", 8)).message).toMatch(/more than 256 hooks/);
});
