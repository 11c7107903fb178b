/** `ringbuf`: as a map it only exists; its records are tested with programs. */

import type { MapSpec } from "#core/backend.ts";
import { ERRNO } from "#core/errors.ts";
import { failed, type MapCall, type Outcome } from "#property-tests/conformance/map_call.ts";
import { difference } from "./compare.ts";
import { type MapModel, type MapModelType, type ModelContext, refusal } from "./map_model.ts";

const PAGE_BYTES = 4096;

export class RingbufModel implements MapModel {
  readonly spec: MapSpec;
  private readonly context: ModelContext;

  constructor(spec: MapSpec, context: ModelContext) {
    this.spec = spec;
    this.context = context;
  }

  judge(call: MapCall, actual: Outcome): string | undefined {
    return difference(this.apply(call), actual);
  }

  apply(call: MapCall): Outcome {
    const errno = refusal(this.spec, this.context, call) || ERRNO.ENOTSUPP;
    const batch = call.kind === "update_batch" || call.kind === "delete_batch";
    return batch ? { errno, processed: 0 } : failed(errno);
  }
}

export const ringbufModel: MapModelType = {
  creationErrno(spec: MapSpec): number {
    const isPowerOfTwo = spec.maxEntries > 0 && (spec.maxEntries & (spec.maxEntries - 1)) === 0;
    const wrong =
      spec.flags !== 0 ||
      spec.keySize !== 0 ||
      spec.valueSize !== 0 ||
      !isPowerOfTwo ||
      spec.maxEntries % PAGE_BYTES !== 0;
    return wrong ? ERRNO.EINVAL : 0;
  },
  create: (spec, context) => new RingbufModel(spec, context),
};
