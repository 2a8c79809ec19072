import { createAlertEngine } from '../alerts/alert-engine.js';
import { createDispatcher } from '../alerts/dispatcher.js';
import { createShownAge } from '../alerts/shown-age.js';
import { createStandings } from '../alerts/standings.js';
import { createWebhookGauges } from '../alerts/webhook-gauges.js';
import type { ModelConfig } from '../config.js';
import { fitNullModel } from '../detectors/null-model.js';
import type { ModelVersion } from '../domain/model.js';
import type { Reference } from '../domain/reference.js';
import { AppError } from '../errors.js';
import type { ReadinessCheck } from '../http/readiness.js';
import type { Coordinator } from '../jobs/coordinator.js';
import { createErrorStreams } from '../jobs/error-streams.js';
import { createLevelChooser } from '../jobs/false-alarm-level.js';
import { createMultivariateJudge } from '../jobs/judge-multivariate.js';
import { createWindowJudge } from '../jobs/judge-window.js';
import { keepReferences } from '../jobs/keep-references.js';
import { createLatencyBaselines } from '../jobs/latency-baseline.js';
import { createNullLearner } from '../jobs/learned-null.js';
import { createPerformanceMeter } from '../jobs/measure-performance.js';
import { createOutlierSpreads } from '../jobs/outlier-spread.js';
import { createPerformanceMover } from '../jobs/performance-moved.js';
import { createPerformanceJudge } from '../jobs/performance-verdicts.js';
import { createVolumeReviser } from '../jobs/revise-volumes.js';
import { createRollingReferences } from '../jobs/rolling-reference.js';
import { createCycle } from '../jobs/run-cycle.js';
import type { Job } from '../jobs/scheduler.js';
import { createOutlierScorer } from '../jobs/score-outliers.js';
import { createSegmentBaselines, segmentsOf } from '../jobs/segments.js';
import { createEpisodeBudget } from '../stats/episode-budget.js';
import { alarmSettings, episodePolicy } from './alarm-settings.js';
import { wireAlertmanager } from './alertmanager.js';
import { wireGauges } from './gauges.js';
import { followStore, type Parts } from './parts.js';
import { REPORTS, sinksOf, wireReportsJob } from './reports.js';
import { createPause, createTurns } from './turns.js';
import { createHooks, publicUrlOf } from './webhooks.js';

export const DETECTION = 'detection';
const FOLLOWING = 'following';
/** How often a process that stands by shows what another one judges. */
const FOLLOWING_CRON = '*/5 * * * * *';
/** As in the alert PlumblineDetectorOverrun. */
const OVERRUN_MS = 900_000;
/** In times of the lease: how long a process that stands by shows what it saw last. */
const STALE = 1.5;

/** The detector role: profiles, verdicts, episodes, the gauges that show them, and webhooks. */
export function wireDetection(parts: Parts, coordinator: Coordinator) {
  const { config, store, metrics, logger, clock, wallClock } = parts;
  const settings = parts.policies.settings;
  const hooks = createHooks(config, wallClock);
  const gauges = wireGauges(parts);
  const standings = createStandings({
    store,
    maintenanceOf: (model) => settings(model).policy.maintenance,
    clock,
  });
  const alerts = createAlertEngine({
    store,
    standings,
    performanceMoved: createPerformanceMover({
      store,
      setting: (model) => settings(model).performance,
    }),
    policyFor: (model) => episodePolicy(settings(model)),
    hooksFor: (model) => hooks.hooksFor(model).map((hook) => hook.settings),
    gauges,
    clock,
    logger,
    publicUrl: publicUrlOf(config),
  });
  const dispatcher = createDispatcher({
    outbox: store,
    sinkFor: sinksOf(parts, hooks),
    clock: wallClock,
    logger,
    metrics,
    random: Math.random,
    active: coordinator.leads,
  });
  const push = wireAlertmanager(parts, standings, coordinator);
  const webhookGauges = createWebhookGauges({
    outbox: store,
    openCircuits: dispatcher.openCircuits,
    metrics,
  });
  const segmentsOfVersion = (model: ModelVersion) =>
    segmentsOf({ store, segments: (name) => settings(name).segments }, model);
  // Judging and choosing levels look at the same references.
  const counted = { ...store, mergedProfiles: keepReferences(store) };
  const judge = createWindowJudge({
    store: counted,
    clock,
    referenceSetting: (model) => settings(model).reference,
    rolling: createRollingReferences({ store, fitNullModel }),
    latencies: createLatencyBaselines({ store, fitNullModel }),
    multivariate: createMultivariateJudge({
      store,
      comparePairs: (input) => parts.tasks.run('comparePairs', input),
    }),
    outlierSpread: createOutlierSpreads(store),
    performance: createPerformanceJudge({ store, setting: (model) => settings(model).performance }),
    segments: segmentsOfVersion,
    minimumRows: (model) => settings(model).policy.minimumRows,
    inTurn: createTurns(),
  });
  const outliers = createOutlierScorer({
    store,
    logger,
    scoreForest: (input) => parts.tasks.run('scoreForest', input),
    explainForest: (input) => parts.tasks.run('explainForest', input),
  });
  const levels = createLevelChooser({
    store: counted,
    settings: (model) => alarmSettings(settings(model)),
    budget: createEpisodeBudget({ pause: createPause() }),
    segments: createSegmentBaselines({ store: counted, segments: (model) => settings(model).segments }),
  });
  const nulls = createNullLearner({ store, fitNullModel, logger });
  const cycle = createCycle({
    store,
    // Rolling references are of production, and bring nulls of their own.
    referenceFor: async (model, reference, window) => {
      const own = settings(model.model);
      // What is learned is kept with the whole reference.
      const known =
        own.reference.kind === 'training' ? await nulls.referenceFor(model, reference, window) : reference;
      return asConfigured(known, own);
    },
    judge: judge.judge,
    reviseVolumes: createVolumeReviser({ store }),
    record: judge.record,
    profileSegments: async (model, hours) =>
      store.profileSegments(model, await segmentsOfVersion(model), hours),
    measurePerformance: createPerformanceMeter({
      store,
      positiveClass: (model) => settings(model).performance.positiveClass,
      requestId: (model) => settings(model).performance.requestId,
      segmentSetting: (model) => settings(model).segments,
      segments: segmentsOfVersion,
    }),
    scoreOutliers: (model, reference) => outliers.score(model, reference),
    alerts,
    gauges,
    metrics,
    levelFor: levels.levelFor,
    settings: (model) => ({
      ...alarmSettings(settings(model)),
      minimumMaturity: settings(model).performance.minimumMaturity,
    }),
    clock,
    monotonicMs: () => performance.now(),
    logger,
  });
  const streams = createErrorStreams({
    store,
    detected: (model, detector) =>
      metrics.streamDetections.inc({ model: model.model, model_version: model.modelVersion, detector }),
    wallClock,
    logger,
  });
  let lastCycle = { hoursProfiled: 0, rowsScored: 0, windowsJudged: 0 };
  let lastSuccessMs: number | null = null;
  const sinceMs = wallClock.now();

  let led = false;
  /** The term that what is remembered, and shown, is of. */
  let term = coordinator.term();
  const age = createShownAge({
    leads: coordinator.leads,
    hide: () => gauges.retain([]),
    staleMs: STALE * config.jobs.lease,
  });
  let judging = false;
  let following: Promise<void> | null = null;

  /** Shows what another process judges, so that nothing seems to end when that one does. */
  async function showStored(): Promise<void> {
    const began = age.look();
    await cycle.watch();
    await gauges.follow();
    gauges.episodesOpen(await standings.refresh(), standings.of);
    await gauges.publish();
    await webhookGauges.publish();
    age.shown(began);
  }

  async function lead(): Promise<void> {
    const began = age.look();
    if (coordinator.term() !== term || age.hidden()) {
      cycle.forget();
      await showStored();
    }
    term = coordinator.term();
    await alerts.followUp();
    lastCycle = await cycle.run();
    push?.changed();
    await gauges.publish();
    await webhookGauges.publish();
    age.shown(began);
    await streams.feed();
  }

  const job: Job = {
    name: DETECTION,
    cron: config.jobs.cron,
    run: async () => {
      await followStore(parts);
      await parts.policies.refresh();
      led = coordinator.leads();
      if (!led) return;
      judging = true;
      try {
        // A look at the store that began before must not be shown after what is judged now; its failure is its own job's.
        await following?.catch(() => undefined);
        await lead();
      } finally {
        judging = false;
      }
    },
    lastSuccess: {
      set: (seconds) => {
        // Of one that stands by it would hide that the other one's job fails.
        if (led) metrics.lastSuccess.set(seconds);
        lastSuccessMs = seconds * 1_000;
      },
    },
  };

  const followJob: Job = {
    name: FOLLOWING,
    cron: FOLLOWING_CRON,
    run: async () => {
      if (judging || coordinator.leads()) return;
      following = showStored();
      try {
        await following;
      } finally {
        following = null;
      }
    },
  };

  return {
    jobs: [job, followJob, wireReportsJob(parts, hooks, coordinator.leads)],
    async start(): Promise<void> {
      await showStored();
      await coordinator.start();
      dispatcher.start();
      push?.start();
    },
    async stop(): Promise<void> {
      await push?.stop();
      await dispatcher.stop();
      await coordinator.stop();
    },
    /** Call before metrics are shown. */
    hideStale: age.hideStale,
    /** Runs the jobs until nothing is left to profile, score, judge or report, and delivers what is due. */
    async settle(run: (job: string) => Promise<{ ok: boolean }>): Promise<void> {
      const runOrFail = async (name: string) => {
        const { ok } = await run(name);
        if (!ok) throw new AppError('store_unavailable', `the ${name} job failed: the log says why`);
      };
      do {
        await runOrFail(DETECTION);
      } while (
        lastCycle.hoursProfiled + lastCycle.rowsScored + lastCycle.windowsJudged > 0 ||
        cycle.endWaiting() > 0
      );
      await runOrFail(REPORTS);
      await dispatcher.deliverDue();
    },
    checks(): ReadinessCheck[] {
      const ageMs = wallClock.now() - (lastSuccessMs ?? sinceMs);
      const seconds = `${Math.round(ageMs / 1_000)} s`;
      return [
        {
          name: DETECTION,
          ok: ageMs <= OVERRUN_MS,
          detail:
            lastSuccessMs === null
              ? `detection: has not ended since the start ${seconds} ago`
              : `detection: last success ${seconds} ago`,
        },
      ];
    },
  };
}

export type Detection = ReturnType<typeof wireDetection>;

/** Without what is switched off, so that it takes no share of the level either. */
function asConfigured(reference: Reference, { multivariate, reference: { kind } }: ModelConfig): Reference {
  if (reference.multivariate === undefined || (multivariate.enabled && kind === 'training')) return reference;
  const { multivariate: _, ...rest } = reference;
  return rest;
}
