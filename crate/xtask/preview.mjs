// Serves dist/ with Vite's preview server (compressed files: vite.config.ts) and prints its address when it answers.
// Ends with its standard input: so it never outlives the command that started it, however that one ended.
import { preview } from 'vite';

const port = Number(process.argv[2]);
const server = await preview({ logLevel: 'warn', preview: { host: '127.0.0.1', port, strictPort: false, open: false } });
console.log(server.resolvedUrls.local[0]);
process.stdin.resume().on('end', () => process.exit(0));
