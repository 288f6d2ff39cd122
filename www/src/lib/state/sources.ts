/** The files the page computes with, and how each is called when it fails. */
import datasetUrl from '../../../../assets/datasets/digits.safetensors?url';
import modelUrl from '../../../../assets/models/digits-mlp.safetensors?url';
import engineUrl from '../../generated/engine/engine_bg.wasm?url';
import type { EngineFiles } from '../engine/client.ts';
import { damaged, loadBytes, loadModule, type Loaded, type PageFile } from '../engine/files.ts';
import type { EngineError } from '../engine/protocol.ts';

export const ENGINE_FILE: PageFile = { what: 'The engine', name: 'engine_bg.wasm', url: engineUrl };
export const MODEL_FILE: PageFile = { what: 'The net', name: 'digits-mlp.safetensors', url: modelUrl };
export const DATASET_FILE: PageFile = { what: 'The test images', name: 'digits.safetensors', url: datasetUrl };

/** All three at once; the first that fails is the one to tell about. */
export async function loadEngineFiles(fresh: boolean): Promise<Loaded<EngineFiles>> {
  const [module, model, dataset] = await Promise.all([
    loadModule(ENGINE_FILE, fresh),
    loadBytes(MODEL_FILE, fresh),
    loadBytes(DATASET_FILE, fresh),
  ]);
  if (!module.ok) return module;
  if (!model.ok) return model;
  if (!dataset.ok) return dataset;
  return { ok: true, value: { module: module.value, model: model.value, dataset: dataset.value } };
}

/** An engine's refusal to load, told as a matter of the file it is about: the engine knows no file names. */
export function blame({ code, message }: EngineError): EngineError {
  return damaged(code.startsWith('data/') ? DATASET_FILE : MODEL_FILE, {
    code,
    message: message.replace(/^(dataset|model): /, ''),
  });
}
