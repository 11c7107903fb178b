/** `stack`: a queue read from the other end. Overwriting a full one still drops the oldest. */

import type { MapModelType } from "./map_model.ts";
import { queueModel } from "./queue.ts";

export const stackModel: MapModelType = queueModel;
