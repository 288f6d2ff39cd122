/** The files the page computes with, and how each is called when it fails. */
import digitsUrl from '../../../../assets/datasets/digits.safetensors?url';
import spiralsUrl from '../../../../assets/datasets/spirals.safetensors?url';
import digitsCnnUrl from '../../../../assets/models/digits-cnn.safetensors?url';
import digitsMlpUrl from '../../../../assets/models/digits-mlp.safetensors?url';
import digitsResnetUrl from '../../../../assets/models/digits-resnet.safetensors?url';
import spiralsMlpUrl from '../../../../assets/models/spirals-mlp.safetensors?url';
import engineUrl from '../../generated/engine/engine_bg.wasm?url';
import type { EngineFiles } from '../engine/client.ts';
import { damaged, loadBytes, loadModule, type Loaded, type PageFile } from '../engine/files.ts';
import type { EngineError } from '../engine/protocol.ts';
import type { ModelName } from './settings.ts';

export const ENGINE_FILE: PageFile = { what: 'The engine', name: 'engine_bg.wasm', url: engineUrl };

interface Source {
  model: PageFile;
  dataset: PageFile;
}

const net = (name: ModelName, url: string): PageFile => ({ what: 'The net', name: `${name}.safetensors`, url });
const DIGITS: PageFile = { what: 'The test images', name: 'digits.safetensors', url: digitsUrl };
const SPIRALS: PageFile = { what: 'The test points', name: 'spirals.safetensors', url: spiralsUrl };

export const SOURCES: Record<ModelName, Source> = {
  'digits-mlp': { model: net('digits-mlp', digitsMlpUrl), dataset: DIGITS },
  'digits-cnn': { model: net('digits-cnn', digitsCnnUrl), dataset: DIGITS },
  'digits-resnet': { model: net('digits-resnet', digitsResnetUrl), dataset: DIGITS },
  'spirals-mlp': { model: net('spirals-mlp', spiralsMlpUrl), dataset: SPIRALS },
};

/** Compiled once; every net runs in it. */
let engine: Loaded<WebAssembly.Module> | null = null;

/** All three at once; the first that fails is the one to tell about. */
export async function loadEngineFiles(name: ModelName, fresh: boolean): Promise<Loaded<EngineFiles>> {
  const source = SOURCES[name];
  const [module, model, dataset] = await Promise.all([
    engine?.ok ? engine : loadModule(ENGINE_FILE, fresh),
    loadBytes(source.model, fresh),
    loadBytes(source.dataset, fresh),
  ]);
  engine = module;
  if (!module.ok) return module;
  if (!model.ok) return model;
  if (!dataset.ok) return dataset;
  return { ok: true, value: { module: module.value, model: model.value, dataset: dataset.value } };
}

/** An engine's refusal to load, told as a matter of the file it is about: the engine knows no file names. */
export function blame(name: ModelName, { code, message }: EngineError): EngineError {
  const { model, dataset } = SOURCES[name];
  return damaged(code.startsWith('data/') ? dataset : model, {
    code,
    message: message.replace(/^(dataset|model): /, ''),
  });
}
