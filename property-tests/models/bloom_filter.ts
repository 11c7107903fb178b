/**
 * `bloom_filter`: what was pushed is always found; what was not may be found too
 * (`DIFFERENCES.bloomFalsePositives`). How often is bounded by a scenario of its own
 * (`conformance/map_scenarios.ts`), not by single answers.
 */

import type { MapSpec } from "#core/backend.ts";
import { ERRNO } from "#core/errors.ts";
import { DONE, failed, type MapCall, type Outcome } from "#property-tests/conformance/map_call.ts";
import { hex } from "./bytes.ts";
import { difference } from "./compare.ts";
import type { KernelFeatures } from "./kernel_version.ts";
import {
  ACCESS_FLAGS,
  flagsAllowed,
  type MapModel,
  type MapModelType,
  type ModelContext,
  refusal,
} from "./map_model.ts";

export class BloomFilterModel implements MapModel {
  readonly spec: MapSpec;
  private readonly context: ModelContext;
  private readonly pushed = new Set<string>();

  constructor(spec: MapSpec, context: ModelContext) {
    this.spec = spec;
    this.context = context;
  }

  judge(call: MapCall, actual: Outcome): string | undefined {
    const expected = this.apply(call);
    const absent = call.kind === "lookup" && expected.errno === ERRNO.ENOENT;
    if (absent && actual.errno === 0) {
      // A false positive is allowed, but must not change the value that was asked for.
      return difference({ ...DONE, value: hex(this.asked(call.value)) }, actual);
    }
    return difference(expected, actual);
  }

  apply(call: MapCall): Outcome {
    const errno = refusal(this.spec, this.context, call);
    switch (call.kind) {
      case "lookup": {
        if (errno !== 0) return failed(errno);
        const value = hex(this.asked(call.value));
        return this.pushed.has(value) ? { ...DONE, value } : failed(ERRNO.ENOENT);
      }
      case "update": {
        const refused = errno || (call.flags === 0 ? 0 : ERRNO.EINVAL);
        if (refused === 0) this.pushed.add(hex(call.value));
        return failed(refused);
      }
      case "delete":
      case "walk":
        return failed(errno || ERRNO.EOPNOTSUPP);
      case "lookup_and_delete":
      case "lookup_batch":
        return failed(errno || ERRNO.ENOTSUPP);
      case "update_batch":
      case "delete_batch":
        return { errno: errno || ERRNO.ENOTSUPP, processed: 0 };
    }
  }

  private asked(value: Uint8Array | undefined): Uint8Array {
    return value ?? new Uint8Array(this.spec.valueSize);
  }
}

export const bloomFilterModel: MapModelType = {
  creationErrno(spec: MapSpec, kernel: KernelFeatures): number {
    const wrong =
      !kernel.bloomFilter ||
      spec.maxEntries === 0 ||
      spec.keySize !== 0 ||
      spec.valueSize === 0 ||
      !flagsAllowed(spec.flags, ACCESS_FLAGS);
    return wrong ? ERRNO.EINVAL : 0;
  },
  create: (spec, context) => new BloomFilterModel(spec, context),
};
