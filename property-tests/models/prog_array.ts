/**
 * `prog_array` without programs: what is not a program is refused. Tail calls through stored
 * programs are tested with programs.
 */

import { ERRNO } from "#core/errors.ts";
import { FdArrayModel, fdArrayCreationErrno } from "./fd_array.ts";
import type { MapModelType } from "./map_model.ts";

export class ProgArrayModel extends FdArrayModel {
  protected accept(handle: number): number {
    const isMap = this.context.maps.some((known) => known.handle === handle);
    return isMap ? ERRNO.EINVAL : ERRNO.EBADF;
  }
}

export const progArrayModel: MapModelType = {
  creationErrno: fdArrayCreationErrno,
  create: (spec, context) => new ProgArrayModel(spec, context),
};
