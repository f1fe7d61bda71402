/**
 * @file The page's commands. A panel calls one of these and reads the store; nothing else writes to the store. Each starts
 * its task, cancels an earlier task of the same key, and puts failures into the state's `tasks`; none throws.
 */
import type { Lab } from '../../contract/types';
import type { Browser } from '../browser';
import type { LabWorker } from '../laboratory';
import type { LabStore, TaskKey } from '../store';
import { type AddressCommands, createAddress } from './address';
import { type BenchmarkCommands, createBenchmarkCommands } from './benchmark';
import { type BestCommands, createBestCommands } from './best';
import { type BootCommands, createBoot } from './boot';
import { type CompareCommands, createCompareCommands } from './compare';
import type { Context } from './context';
import { createExperimentCommands, type ExperimentCommands } from './experiment';
import { createExportCommands, type ExportCommands } from './exports';
import { createFollowing } from './following';
import { createImportanceCommands, type ImportanceCommands } from './importance';
import { createKernelCommands, type KernelCommands } from './kernels';
import { createLive } from './live';
import { createOpeningCommands, type OpeningCommands } from './opening';
import { createPlanCommands, type PlanCommands } from './plan';
import { createQuestionCommands, type QuestionCommands } from './questions';
import { createRecoveryCommands, type RecoveryCommands } from './recovery';
import { createRemembering } from './remembering';
import { createReproduceCommands, type ReproduceCommands } from './reproducing';
import { createRestoring } from './restoring';
import { createRetrainCommands, type RetrainCommands } from './retrain';
import { createSaving } from './saving';
import { createSearchCommands, type SearchCommands } from './searches';
import { createSharingCommands, type SharingCommands } from './sharing';
import { createStorageCommands, type StorageCommands } from './storage';
import { createTasks } from './tasks';
import { createTextCommands, type TextCommands } from './texts';
import { createVariantCommands, type VariantCommands } from './variants';
import { createWidthCommands, type WidthCommands } from './width';
import { createWidthScoreCommands, type WidthScoreCommands } from './widthScores';
import { createWriting, type WritingCommands } from './writing';

interface TaskCommands {
  /** Cancels a task. If it does not stop, its worker ends with it, after a question where others would be lost. */
  cancelTask(key: TaskKey): void;
  /** Ends the worker that the page asks about. */
  restartLaboratory(): Promise<void>;
  /** Waits on, or closes the message that the worker was replaced. */
  dismissInterruption(): void;
}

export type Commands = AddressCommands &
  BenchmarkCommands &
  BestCommands &
  BootCommands &
  CompareCommands &
  ExperimentCommands &
  ExportCommands &
  ImportanceCommands &
  KernelCommands &
  OpeningCommands &
  PlanCommands &
  QuestionCommands &
  RecoveryCommands &
  ReproduceCommands &
  RetrainCommands &
  SearchCommands &
  SharingCommands &
  StorageCommands &
  TaskCommands &
  TextCommands &
  VariantCommands &
  WidthCommands &
  WidthScoreCommands &
  WritingCommands;

/** The commands over one laboratory, one store and one browser; each call makes an instance with a state of its own. */
export function createCommands(
  lab: Lab,
  store: LabStore,
  { worker, browser }: { readonly worker: LabWorker; readonly browser: Browser },
): Commands {
  const tasks = createTasks(store, {
    hearingOf: (signal) => worker.hearingOf(signal),
    callsBesides: (signal) => worker.callsBesides(signal),
    restart: () => lab.restart(),
  });
  const saving = createSaving(store, browser.sessions);
  const context: Context = { lab, worker, browser, store, tasks, saving };
  const remembering = createRemembering(browser);
  const address = createAddress(context);
  const live = createLive(context, remembering);
  const restoring = createRestoring(context, live);
  const storage = createStorageCommands(context);
  const widthScores = createWidthScoreCommands(context);
  const importance = createImportanceCommands(context, widthScores);
  const writing = createWriting(context);
  const following = createFollowing(context, live, writing);
  const plans = createPlanCommands(context, following);
  const texts = createTextCommands(context, importance, live);
  const retraining = createRetrainCommands(context, plans);
  const { readTrainings } = retraining.steps;
  const parts = { address, storage, remembering, restoring, importance, texts, live, writing, following };
  const opening = createOpeningCommands(context, { ...parts, readTrainings });
  const widths = createWidthCommands(context, plans, live);
  address.connect({ ...plans, ...opening, ...importance, ...widths });
  const variants = createVariantCommands(context, { storage, live, writing, plans, following });
  const { start, ...boot } = createBoot(context, storage, opening, variants, address);
  return {
    lessonLink: address.lessonLink,
    dismissAddressNotes: address.dismissAddressNotes,
    ...boot,
    ...createReproduceCommands(context, { start, opening, live, remembering, storage }),
    ...createRecoveryCommands(context, storage, opening),
    ...storage,
    ...opening,
    ...texts,
    ...importance,
    ...createSearchCommands(context),
    ...createSharingCommands(context),
    ...plans,
    ...widthScores,
    ...widths,
    ...variants,
    ...createBenchmarkCommands(context),
    ...createQuestionCommands(context),
    ...createBestCommands(context, plans),
    ...retraining.commands,
    ...createExperimentCommands(context, retraining.steps),
    ...createCompareCommands(context),
    ...createExportCommands(context),
    write: writing.write,
    ...createKernelCommands(context),
    cancelTask: tasks.cancel,
    restartLaboratory: tasks.restart,
    dismissInterruption: tasks.dismissInterruption,
  };
}
