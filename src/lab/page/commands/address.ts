/**
 * @file Keeps the page's address and the work in step: a step that a user would want back makes an entry of the browser's history,
 * Back and forward apply theirs, and an opened model takes the plan of the link that named it.
 */
import { checkPlan, emptyPlan, type PruningPlan, samePlan } from '../../../pruning/plan';
import type { ModelInfo } from '../../../report/facts';
import { sourceId, storedAs } from '../../../shards/sources/sourceId';
import { toFailure } from '../../contract/failure';
import { hasReport, pageAddress } from '../address';
import {
  type AddressedPlan,
  type AddressedUnit,
  type AddressedWork,
  type AskedWidth,
  formatWork,
  methodsOf,
  planOfAddress,
  type ReadWork,
  readWork,
  sameAddressedPlan,
  workKeys,
  workOf,
} from '../addressedWork';
import { draftOf } from '../draft';
import { linkOf, sameModel } from '../links';
import { type Selection, sameSelection, selectionOf } from '../selection';
import type { LabState } from '../store';
import type { Context } from './context';
import { endpointOf, hubChoice } from './hub';

export interface AddressCommands {
  /** The link of a lesson: model, criterion, view and plan, without results; null for a plan that an address cannot hold. */
  lessonLink(): string | null;
  dismissAddressNotes(): void;
}

export interface AddressSteps {
  /** The visit begins: what its address says is kept for the model that it names. */
  begin(): void;
  /**
   * A model was opened by the page, and its last session is restored: the work of the address that named it counts. Returns what
   * remains to be done behind the first results.
   */
  opened(model: ModelInfo): () => Promise<void>;
  /** Another model opens: the address waits until its last session is restored. */
  leave(): void;
  /** A script opened a model: the address is the script's. */
  scripted(): void;
  /** Commands that are made later. */
  connect(later: Later): void;
}

/** What Back and forward call. Named here, since these commands are made of parts that know the address. */
interface Later {
  loadModel(source: string, options: { stored: boolean }): Promise<boolean>;
  select(selection: Selection): void;
  proposeWidth(ratio: number): Promise<void>;
  measureChosen(): Promise<void>;
}

export function createAddress({ browser, store, tasks }: Context): AddressCommands & AddressSteps {
  const { getState, setState } = store;
  /** What an address said of a model that is not open yet. */
  let pending: ReadWork | null = null;
  /** The model whose work the address follows; null while one opens, and where a script is in charge. */
  let followed: ModelInfo | null = null;
  /** The work that the address says; null before the first. */
  let written: AddressedWork | null = null;
  let later: Later | null = null;
  let scheduled = false;

  const note = (sentences: readonly string[]): void => setState({ addressNotes: sentences });
  const isFollowed = (model: ModelInfo | null): boolean =>
    followed !== null && model?.id === followed.id && model.revision === followed.revision;
  const isSame = (a: string, b: string): boolean => a === b || sameModel(a, b, hubChoice(browser).hub);

  function write(work: AddressedWork, how: 'push' | 'replace'): void {
    written = work;
    const { href, search } = browser.address();
    // A report lies over the laboratory: its entry of the history is not this one's.
    if (hasReport({ href }) || href.endsWith('#report-file')) return;
    const others = search
      .replace(/^\?/, '')
      .split('&')
      .filter((part) => part !== '' && !(workKeys as readonly string[]).includes(part.split('=', 1)[0] ?? ''));
    const query = [formatWork(work), ...others].join('&');
    if (`?${query}` !== search || !browser.isOwnAddress()) browser.writeAddress(query, how);
  }

  /** The state has changed: the address says so once all changes of one step are there. */
  function follow(): void {
    scheduled = false;
    const state = getState();
    if (followed === null || !isFollowed(state.model)) return;
    const work = workOf(state);
    if (!work || (written && formatWork(work) === formatWork(written))) return;
    // Another view has another criterion by itself: looking at it is no step.
    const isChoice = work.view === written?.view && (work.by !== written.by || work.plus !== written.plus);
    const isCut = written !== null && !sameAddressedPlan(work.plan, written.plan);
    write(work, isChoice || isCut ? 'push' : 'replace');
  }

  store.subscribe((state, before) => {
    const isAbout = addressed.some((key) => state[key] !== before[key]);
    if (!isAbout || followed === null || scheduled) return;
    scheduled = true;
    queueMicrotask(follow);
  });

  /** Shows the criterion, the view and the + rule that an address says. */
  function choose({ view, by, plus }: NonNullable<ReadWork['work']>): void {
    const field = { blocks: 'criterion', subBlocks: 'subBlockCriterion', width: 'widthMethod' } as const;
    setState({
      unitMode: view,
      plus: plus ?? false,
      ...(by !== null && methodsOf(view).includes(by) && { [field[view]]: by }),
    });
  }

  /** The plan of blocks, sub-blocks and heads that an address says; null for one that does not fit the model. */
  function planFor(model: ModelInfo, units: readonly AddressedUnit[]): PruningPlan | null {
    try {
      return checkPlan(planOfAddress(model, units), model.id, model.shape);
    } catch (thrown) {
      note([...getState().addressNotes, `plan is ignored: ${toFailure(thrown).message}`]);
      return null;
    }
  }

  /** The selection that an address says; null where it leaves the selection alone, or asks for a rule. */
  function selectionFor(model: ModelInfo, plan: AddressedPlan): Selection | null {
    if (plan === 'session' || 'method' in plan) return null;
    const current = selectionOf(getState());
    const found = plan.length === 0 ? emptyPlan(model.id) : planFor(model, plan);
    if (!found) return null;
    const isThere = current && current.ownWeights === null && samePlan(current.plan, found);
    return isThere ? null : { plan: found, ownWeights: null };
  }

  /** A rule is asked for again, unless its plan is shown already. */
  async function propose(asked: AskedWidth): Promise<void> {
    const shownWork = workOf(getState());
    if (shownWork && sameAddressedPlan(shownWork.plan, asked)) return;
    const { method, ratio, ...how } = asked;
    setState(({ widthChoice }) => ({ widthMethod: method, widthChoice: { ...widthChoice, ...how, biases: false } }));
    await later?.proposeWidth(ratio);
  }

  async function goTo(): Promise<void> {
    const { search, href } = browser.address();
    if (hasReport({ href })) return;
    const read = readWork(search);
    const { model } = getState();
    if (read.model === null || read.model === '' || !model || !isFollowed(model)) return;
    if (!isSame(read.model, model.source)) return openOther(read);
    if (!read.work) return;
    note(read.ignored);
    choose(read.work);
    const selection = selectionFor(model, read.work.plan);
    // What is shown now is what this entry says, so that it is not written again.
    if (selection) later?.select(selection);
    written = workOf(getState());
    if (read.work.plan !== 'session' && 'method' in read.work.plan) await propose(read.work.plan);
    await later?.measureChosen();
  }

  /** Back to another model: the demo and stored ones open; others are asked about, as every link is. */
  async function openOther(read: ReadWork): Promise<void> {
    const asked = read.model ?? '';
    pending = read;
    try {
      const stored = storedAs(getState().stored, sourceId(asked, endpointOf(browser)));
      const link = linkOf(asked, hubChoice(browser).hub, 'link');
      if (link && !stored) setState({ link });
      else await later?.loadModel(asked.trim(), { stored: stored !== null });
    } catch (thrown) {
      tasks.fail('load', thrown);
    }
  }

  browser.onAddress(() => void goTo());

  return {
    begin() {
      pending = readWork(browser.address().search);
    },
    opened(model) {
      const read = pending?.model && isSame(pending.model, model.source) ? pending : null;
      const isFirst = written === null || read !== null;
      pending = null;
      note(read?.ignored ?? []);
      if (read?.work) {
        choose(read.work);
        const selection = selectionFor(model, read.work.plan);
        const before = selectionOf(getState());
        if (selection && before && !sameSelection(selection, before)) {
          const { past, variants } = getState();
          setState({
            ...selection,
            past: [...past, before],
            future: [],
            live: null,
            draft: draftOf(model, selection, variants),
          });
        }
      }
      followed = model;
      const work = workOf(getState());
      const asked = read?.work?.plan ?? 'session';
      const rule = asked !== 'session' && 'method' in asked ? asked : null;
      if (work) write(rule ? { ...work, plan: rule } : work, isFirst ? 'replace' : 'push');
      else browser.removeModelFromAddress();
      const shown = getState().plan;
      return async () => {
        // Who has cut something meanwhile keeps that.
        if (rule && isFollowed(getState().model) && getState().plan === shown) await propose(rule);
      };
    },
    leave() {
      followed = null;
    },
    scripted() {
      followed = null;
      pending = null;
    },
    connect(commands) {
      later = commands;
    },
    lessonLink() {
      const work = workOf(getState());
      if (!work || work.plan === 'session') return null;
      return `${pageAddress(new URL(browser.address().href))}?${formatWork(work)}`;
    },
    dismissAddressNotes: () => note([]),
  };
}

/** Parts of the state that the address says. */
const addressed = [
  'model',
  'plan',
  'ownWeights',
  'unitMode',
  'criterion',
  'subBlockCriterion',
  'widthMethod',
  'plus',
] as const satisfies readonly (keyof LabState)[];
