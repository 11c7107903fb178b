/** What is known of one program: every field of the original report, by its name there. */

/** Counters that `incrementEventCounter` takes; numbers as in the original. */
export const EVENT_COUNTER = {
  received: 0,
  processed: 1,
  dropped: 2,
  filtered: 3,
  sampled: 4,
  batched: 5,
  programErrors: 6,
} as const;

export type EventCounter = (typeof EVENT_COUNTER)[keyof typeof EVENT_COUNTER];

export interface BpfStatistics {
  readonly programName: string;
  readonly programId: number;
  readonly programType: string;
  readonly eventsReceived: number;
  readonly eventsProcessed: number;
  readonly eventsDropped: number;
  readonly eventsFiltered: number;
  readonly eventsRateLimited: number;
  /** Left out by sampling. */
  readonly eventsSampled: number;
  readonly eventsBatched: number;
  readonly eventsInFlight: number;
  readonly residual: number;
  readonly unobserved: number;
  readonly processingTime_ns: number;
  /** Mean of all timed runs. */
  readonly averageLatency_ns: number;
  /** Longest run of the last minutes; 0 where there was none. */
  readonly peak1MinLatency_ns: number;
  readonly peak5MinLatency_ns: number;
  readonly ringBufferSize_bytes: number;
  readonly ringBufferUsed_bytes: number;
  readonly ringBufferPeak_bytes: number;
  readonly ringBufferUtilization: number;
  readonly mapMemoryUsage_bytes: number;
  readonly instructionCount: number;
  readonly verifiedInstructions: number;
  readonly verifierLogSize_bytes: number;
  readonly programErrors: number;
  readonly verificationFailures: number;
  readonly attachFailures: number;
  readonly detachEvents: number;
  /** Rules in force, by type. */
  readonly namespaceFilters: number;
  readonly processFilters: number;
  readonly networkFilters: number;
  /** Kept part of the events that reached sampling; 1 where none did. */
  readonly samplingRate: number;
  readonly samplingActive: boolean;
  readonly batchesSent: number;
  readonly averageBatchSize: number;
  readonly batchFullEvents: number;
  readonly batchTimeoutEvents: number;
  readonly lastUpdate_ms: number;
  readonly startTime_ms: number;
  readonly uptime_s: number;
}
