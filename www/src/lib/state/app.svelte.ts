/** The one store: settings in, reports out. Everything on the page is drawn from here; nothing here touches the DOM. */
import { startCharts } from '../charts.ts';
import { EngineClient, type EngineEvent } from '../engine/client.ts';
import type { EngineError, Evaluation, ModelReport, QuantizeReport, QuantizeSettings } from '../engine/protocol.ts';
import { oncePainted } from '../frame.ts';
import { Address } from './address.ts';
import { Notices } from './notices.svelte.ts';
import type { DialKey } from './settings.ts';
import { blame, loadEngineFiles } from './sources.ts';
import { extend, type Trail } from './trail.ts';
import { readHash, writeHash } from './url.ts';

/** `estimate` while a number still belongs to earlier settings. */
export type Stage = 'estimate' | 'final';

export class ExploreStore {
  settings = $state.raw<QuantizeSettings>(readHash('').settings);
  model = $state.raw<ModelReport | null>(null);
  /** Of the last net that was quantized; it stays until the next one is there. */
  report = $state.raw<QuantizeReport | null>(null);
  reportStage = $state<Stage>('estimate');
  /** The same report once its picture is on the screen: tables follow the pictures and never hold them up. */
  tabled = $state.raw<QuantizeReport | null>(null);
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
  /** False while there is no engine to ask: settings are then only kept. */
  #open = false;

  constructor() {
    this.#readAddress();
    addEventListener('hashchange', () => {
      this.#readAddress();
      void this.#compute(null, performance.now());
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

  #readAddress(): void {
    const { settings, complaint } = readHash(location.hash);
    this.settings = settings;
    this.#address.set(writeHash(settings));
    if (complaint) this.notices.say({ topic: 'link', code: 'link/bad', message: complaint, tone: 'news' });
    else this.notices.clear('link');
  }

  async #compute(moved: DialKey | null, at: number): Promise<void> {
    if (!this.#open) {
      this.#address.set(writeHash(this.settings));
      return;
    }
    const mine = ++this.#newest;
    const settings = this.settings;
    this.busy = true;
    this.reportStage = 'estimate';
    this.evaluationStage = 'estimate';
    const outcome = await this.#engine.latest(settings, (report) => {
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
        this.tabled = outcome.value.report;
        this.evaluationStage = 'final';
      }
      this.busy = false;
      // Last: a changed address makes browsers redo the page's icon, which takes longer than all of the above.
      this.#address.set(writeHash(this.settings));
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
    this.busy = true;
    const files = await loadEngineFiles(fresh);
    if (!files.ok) return this.#engineFailed(files.error);
    const opened = await this.#engine.open(files.value);
    if (opened.kind === 'done') return this.#opened(opened.value);
    if (opened.kind === 'failed' && opened.error.code !== 'engine/stopped') {
      this.#engineFailed(blame(opened.error));
    }
  }

  #opened(model: ModelReport): void {
    this.model = model;
    this.#open = true;
    this.notices.clear('engine');
    void this.#compute(null, performance.now());
  }

  #engineFailed(error: EngineError): void {
    this.busy = false;
    const retry = { label: 'Try again', run: () => void this.#startEngine(true) };
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
    this.busy = true;
    const opened = await this.#engine.restart();
    if (opened.kind === 'done') this.#opened(opened.value);
  }
}

/** The first line of a panic's text, short enough for a sentence. */
function brief(reason: string): string {
  const line = reason.split('\n')[0]?.trim() ?? '';
  return line.length > 100 ? `${line.slice(0, 100)}…` : line;
}
