/**
 * @file The page's verbs. A panel calls one of these and reads `labStore`; nothing else writes to the store.
 * Each starts its task, cancels an earlier one of the same key, and puts failures into `tasks`, never throws.
 */
import type { Criterion, Source } from './types';

/** Opens the worker, finds the device, loads the demo, calibrates, scores: the first result without a click. */
export declare function boot(): Promise<void>;
/** Loads another model; the open one stays until the new one is there. */
export declare function loadModel(source: Source): Promise<void>;
/** Removes a stored model's bytes. */
export declare function forgetModel(id: string): Promise<void>;
/** Stops the task under a key. */
export declare function cancelTask(key: string): void;
/** Scores the blocks by a criterion (once; the result stays). */
export declare function measure(criterion: Criterion): Promise<void>;
/** Chooses the criterion that colours and proposes; measures it when it is not there yet. */
export declare function chooseCriterion(criterion: Criterion): Promise<void>;
export declare function choosePlus(plus: boolean): void;
/** Removes or restores one block. The live perplexity follows by itself. */
export declare function toggleBlock(block: number): void;
/** Removes the `count` blocks that the chosen criterion ranks lowest. */
export declare function proposeCount(count: number): void;
export declare function undo(): void;
export declare function redo(): void;
/** Restores every block. */
export declare function resetPlan(): void;
/** Makes the edited plan a variant and measures it with ONNX Runtime: latency, tokens per second, perplexity. */
export declare function benchmarkDraft(): Promise<void>;
export declare function discardVariant(id: string): Promise<void>;
/** Text of the whole model and of the edited plan for a prompt. */
export declare function write(prompt: string): Promise<void>;
