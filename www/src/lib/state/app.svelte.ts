/** The one store: settings in, reports out. Everything on the page is drawn from here; nothing here touches the DOM. */
import { startCharts } from '../charts.ts';
import { EngineClient, type EngineEvent } from '../engine/client.ts';
import type {
  EngineError,
  Evaluation,
  Explanation,
  LayerWeights,
  ModelReport,
  Outcome,
  QuantizeReport,
  QuantizeSettings,
  WeightCosts,
} from '../engine/protocol.ts';
import { oncePainted } from '../frame.ts';
import { Address } from './address.ts';
import { Notices } from './notices.svelte.ts';
import { fit, focusOf, layerOf } from './focus.ts';
import { FIRST_VIEW, type DialKey, type View } from './settings.ts';
import { blame, loadEngineFiles } from './sources.ts';
import { extend, type Trail } from './trail.ts';
import { readHash, writeHash } from './url.ts';

/** `estimate` while a number still belongs to earlier settings. */
export type Stage = 'estimate' | 'final';

export class ExploreStore {
  settings = $state.raw<QuantizeSettings>(readHash('').settings);
  view = $state.raw<View>(FIRST_VIEW);
  model = $state.raw<ModelReport | null>(null);
  /** Of the last net that was quantized; it stays until the next one is there. */
  report = $state.raw<QuantizeReport | null>(null);
  reportStage = $state<Stage>('estimate');
  /** The same report once its picture is on the screen: tables follow the pictures and never hold them up. */
  tabled = $state.raw<QuantizeReport | null>(null);
  /** The close looks, as old as `tabled`: they come after the figures that move under the finger. */
  weights = $state.raw<LayerWeights | null>(null);
  weight = $state.raw<WeightCosts | null>(null);
  explanation = $state.raw<Explanation | null>(null);
  evaluation = $state.raw<Evaluation | null>(null);
  evaluationStage = $state<Stage>('estimate');
  trail = $state.raw<Trail | null>(null);
  busy = $state(true);
  chartsReady = $state(false);
  /** From the last input to its picture, in ms. */
  latency = $state<number | null>(null);
  readonly notices = new Notices();

  readonly #engine = new EngineClient((event) => this.#onEngineEvent(event));
  readonly #address = new Address();
  #newest = 0;
  #newestLoad = 0;
  /** Whether what is looked at comes from a link and was not yet compared with the net. */
  #isFromLink = false;
  /** The net whose numbers are on the page, the one that the engine holds, and the one that is on its way there. */
  #shown: View['model'] | null = null;
  #loaded: View['model'] | null = null;
  #loading: View['model'] | null = null;
  /** The net that was being opened when the engine gave up. */
  #stoppedAt: View['model'] | null = null;
  /** False while there is no engine to ask: settings are then only kept. */
  #open = false;

  constructor() {
    this.#readAddress();
    addEventListener('hashchange', () => {
      this.#readAddress();
      this.#follow();
    });
  }

  /** Loads what is needed and shows the first picture. `fresh` is for a second attempt. */
  start(fresh = false): void {
    void this.#startCharts(fresh);
    void this.#startEngine(fresh);
  }

  /** `moved` names the slider that was moved; `at` is when the hand moved, for the measured latency. */
  set(change: Partial<QuantizeSettings>, moved: DialKey | null, at: number): void {
    const next = { ...this.settings, ...change };
    if (writeHash(next) === writeHash(this.settings)) return;
    this.settings = next;
    this.notices.clear('link');
    void this.#compute(moved, at);
  }

  /** Looks at something else: another net, layer or image, or the same by another composite. */
  look(change: Partial<View>): void {
    // A position means another weight in another layer.
    const weight = change.layer === undefined && change.model === undefined ? this.view.weight : null;
    this.view = { ...this.view, weight, ...change };
    this.#isFromLink = false;
    this.notices.clear('link');
    this.#address.set(this.#hash);
    this.#follow();
  }

  /** Computes what is looked at now; another net is loaded first. */
  #follow(): void {
    // What is looked at is asked for once the net is there.
    if (this.view.model === this.#loading) return;
    if (this.view.model !== this.#loaded) {
      void this.#startEngine(false);
      return;
    }
    // A net that is still on its way is no longer wanted.
    this.#newestLoad += 1;
    this.#loading = null;
    void this.#compute(null, performance.now());
  }

  get #hash(): string {
    return writeHash(this.settings, this.view);
  }

  /** The layer that is looked at. */
  get layer(): string {
    return layerOf(this.view, this.model);
  }

  #readAddress(): void {
    const { settings, view, complaint } = readHash(location.hash);
    [this.settings, this.view] = [settings, view];
    this.#isFromLink = location.hash !== '';
    this.#address.set(this.#hash);
    if (complaint) this.notices.say({ topic: 'link', code: 'link/bad', message: complaint, tone: 'news' });
    else this.notices.clear('link');
    if (this.model && view.model === this.#loaded) this.#dropWhatIsNotThere(this.model);
  }

  async #compute(moved: DialKey | null, at: number): Promise<void> {
    if (!this.#open || !this.model) {
      this.#address.set(this.#hash);
      return;
    }
    const mine = ++this.#newest;
    const settings = this.settings;
    // A link to another net may be on its way: what this one does not have is not asked of it.
    const focus = focusOf(fit(this.view, this.model).view, this.model);
    this.busy = true;
    this.reportStage = 'estimate';
    this.evaluationStage = 'estimate';
    const outcome = await this.#engine.latest({ settings, focus }, (report) => {
      this.report = report;
      if (mine === this.#newest) this.reportStage = 'final';
      oncePainted((now) => (this.latency = Math.max(0, now - at)));
    });
    if (outcome.kind === 'superseded') return;
    if (outcome.kind === 'done') {
      this.evaluation = outcome.value.evaluation;
      this.trail = extend(this.trail, moved, { settings, accuracy: outcome.value.evaluation.accuracy });
      this.notices.clear('settings');
    } else if (outcome.error.code !== 'engine/stopped') {
      this.notices.say({ topic: 'settings', ...outcome.error, tone: 'news' });
    }
    oncePainted(() => {
      // Once there is a newer wish, these are its to set.
      if (mine !== this.#newest) return;
      if (outcome.kind === 'done') {
        const { report, weights, weight, explanation } = outcome.value;
        [this.tabled, this.weights, this.weight, this.explanation] = [report, weights, weight, explanation];
        this.evaluationStage = 'final';
      }
      this.busy = this.#loading !== null;
      // Last: a changed address makes browsers redo the page's icon, which takes longer than all of the above.
      this.#address.set(this.#hash);
    });
  }

  async #startCharts(fresh: boolean): Promise<void> {
    const started = await startCharts(fresh);
    this.chartsReady = started.ok;
    if (started.ok) this.notices.clear('charts');
    // Without WebAssembly there is no engine either, and that is said once.
    else if (started.error.code !== 'wasm/unsupported') this.#chartsFailed(started.error);
  }

  /** A canvas whose drawing failed calls this: one dead module is one notice, however many canvases there are. */
  readonly drawingFailed = (error: unknown): void => {
    if (!this.chartsReady) return;
    this.chartsReady = false;
    const reason = brief(globalThis.ecqxPanic ?? (error instanceof Error ? error.message : String(error)));
    this.#chartsFailed({ code: 'charts/draw', message: `The drawing module stopped (${reason}).` });
  };

  #chartsFailed(error: EngineError): void {
    const message = `${error.message} The figures are not drawn; their numbers and tables still work.`;
    const action = { label: 'Try again', run: () => void this.#startCharts(true) };
    this.notices.say({ topic: 'charts', code: error.code, message, tone: 'problem', action });
  }

  async #startEngine(fresh: boolean): Promise<void> {
    const [mine, { model }] = [++this.#newestLoad, this.view];
    this.#loading = model;
    this.busy = true;
    const files = await loadEngineFiles(model, fresh);
    if (mine !== this.#newestLoad) return;
    if (!files.ok) return this.#engineFailed(files.error, model);
    [this.#open, this.#loaded] = [false, null];
    await this.#whenOpened(this.#engine.open(files.value), model, mine);
  }

  async #whenOpened(opening: Promise<Outcome<ModelReport>>, model: View['model'], mine: number): Promise<void> {
    const opened = await opening;
    if (mine !== this.#newestLoad) return;
    if (opened.kind === 'done') {
      this.#opened(opened.value, model);
    } else if (opened.kind === 'failed') {
      if (opened.error.code === 'engine/stopped') this.#stoppedAt = model;
      else this.#engineFailed(blame(model, opened.error), model);
    }
  }

  #opened(report: ModelReport, model: View['model']): void {
    if (this.#shown !== model) {
      // Of another net: not even names of layers mean the same.
      [this.trail, this.tabled, this.weights, this.weight, this.explanation] = [null, null, null, null, null];
    }
    [this.#shown, this.#loaded, this.#loading, this.#stoppedAt] = [model, model, null, null];
    this.model = report;
    this.#dropWhatIsNotThere(report);
    this.#open = true;
    this.notices.clear('engine');
    void this.#compute(null, performance.now());
  }

  /** What this net does not have, from a link or from the net before, gives way. */
  #dropWhatIsNotThere(model: ModelReport): void {
    const { view, missing } = fit(this.view, model);
    this.view = view;
    // Only a link asks for what is not there; what the net before had is left without a word.
    if (missing.length > 0 && this.#isFromLink) {
      const message = `The link does not fit this net: ${missing.join('; ')}; defaults are used there.`;
      this.notices.say({ topic: 'link', code: 'link/bad', message, tone: 'news' });
    }
    this.#isFromLink = false;
  }

  /** Where another net is there, it stays. */
  #engineFailed(error: EngineError, model: View['model']): void {
    this.busy = false;
    this.#loading = null;
    if (this.#open && this.#loaded && this.model) {
      this.view = { ...this.view, model: this.#loaded };
      this.#dropWhatIsNotThere(this.model);
      this.#address.set(this.#hash);
    }
    const again = () => {
      this.view = { ...this.view, model };
      void this.#startEngine(true);
    };
    const retry = { label: 'Try again', run: again };
    this.notices.say({
      topic: 'engine',
      ...error,
      tone: 'problem',
      ...(error.code === 'wasm/unsupported' ? {} : { action: retry }),
    });
  }

  #onEngineEvent(event: EngineEvent): void {
    const reason = brief(event.reason);
    if (event.kind === 'restarted') {
      const message = `The engine stopped (${reason}) and was restarted; your settings are kept.`;
      this.notices.say({ topic: 'engine', code: 'engine/restarted', message, tone: 'news' });
      if (this.#engine.idle) void this.#compute(null, performance.now());
      return;
    }
    this.#open = false;
    this.busy = false;
    const message = `The engine stopped three times within ten seconds (${reason}) and is left off; your settings are kept.`;
    const action = { label: 'Restart engine', run: () => void this.#restart() };
    this.notices.say({ topic: 'engine', code: 'engine/stopped', message, tone: 'problem', action });
  }

  async #restart(): Promise<void> {
    const model = this.#stoppedAt ?? this.#loaded;
    if (model === null) return;
    this.busy = true;
    await this.#whenOpened(this.#engine.restart(), model, ++this.#newestLoad);
  }
}

/** The first line of a panic's text, short enough for a sentence. */
function brief(reason: string): string {
  const line = reason.split('\n')[0]?.trim() ?? '';
  return line.length > 100 ? `${line.slice(0, 100)}…` : line;
}
