// The package's own types bring in those of a whole server framework; this is what vite.config.ts uses.
declare module 'compression' {
  import type { Connect } from 'vite';
  export default function compression(options?: { filter?: () => boolean }): Connect.NextHandleFunction;
}
