/** `perf_event_array` as user space sees it: takes perf events only, and never gives one back. */

import { ERRNO } from "#core/errors.ts";
import { FdArrayModel, fdArrayCreationErrno } from "./fd_array.ts";
import type { MapModelType } from "./map_model.ts";

export class PerfEventArrayModel extends FdArrayModel {
  protected accept(): number {
    return ERRNO.EBADF;
  }

  protected override find(): number {
    return ERRNO.ENOTSUPP;
  }
}

export const perfEventArrayModel: MapModelType = {
  creationErrno: fdArrayCreationErrno,
  create: (spec, context) => new PerfEventArrayModel(spec, context),
};
