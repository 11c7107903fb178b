/** `queue` and `stack`: no keys; update pushes, lookup peeks, lookupAndDelete pops. */

import { MAP_TYPE, type MapSpec, UPDATE } from "#core/backend.ts";
import { ERRNO } from "#core/errors.ts";
import { DONE, failed, type MapCall, type Outcome } from "#property-tests/conformance/map_call.ts";
import { hex } from "./bytes.ts";
import { difference } from "./compare.ts";
import {
  ACCESS_FLAGS,
  flagsAllowed,
  type MapModel,
  type MapModelType,
  type ModelContext,
  refusal,
} from "./map_model.ts";

export class QueueModel implements MapModel {
  readonly spec: MapSpec;
  private readonly context: ModelContext;
  /** Oldest first. */
  private readonly values: string[] = [];

  constructor(spec: MapSpec, context: ModelContext) {
    this.spec = spec;
    this.context = context;
  }

  judge(call: MapCall, actual: Outcome): string | undefined {
    return difference(this.apply(call), actual);
  }

  apply(call: MapCall): Outcome {
    const errno = refusal(this.spec, this.context, call);
    switch (call.kind) {
      case "lookup":
        return errno === 0 ? this.next(false) : failed(errno);
      case "lookup_and_delete":
        return errno === 0 ? this.next(true) : failed(errno);
      case "update":
        return failed(errno || this.push(hex(call.value), call.flags));
      case "delete":
      case "walk":
        return failed(errno || ERRNO.EINVAL);
      case "lookup_batch":
        return failed(errno || ERRNO.ENOTSUPP);
      case "update_batch":
      case "delete_batch":
        return { errno: errno || ERRNO.ENOTSUPP, processed: 0 };
    }
  }

  private push(value: string, flags: number): number {
    if (flags === UPDATE.NOEXIST || flags > UPDATE.EXIST) return ERRNO.EINVAL;
    if (this.values.length === this.spec.maxEntries) {
      if (flags !== UPDATE.EXIST) return ERRNO.E2BIG;
      this.values.shift();
    }
    this.values.push(value);
    return 0;
  }

  private next(remove: boolean): Outcome {
    const last = this.spec.type === MAP_TYPE.stack;
    const value = last ? this.values.at(-1) : this.values[0];
    if (value === undefined) return failed(ERRNO.ENOENT);
    if (remove && last) this.values.pop();
    else if (remove) this.values.shift();
    return { ...DONE, value };
  }
}

export const queueModel: MapModelType = {
  creationErrno(spec: MapSpec): number {
    const wrong =
      spec.maxEntries === 0 ||
      spec.keySize !== 0 ||
      spec.valueSize === 0 ||
      !flagsAllowed(spec.flags, ACCESS_FLAGS);
    if (wrong) return ERRNO.EINVAL;
    return spec.valueSize > 4 << 20 ? ERRNO.E2BIG : 0;
  },
  create: (spec, context) => new QueueModel(spec, context),
};
