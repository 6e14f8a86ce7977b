/** Fails if an entry point is larger than promised: bundled, minified and compressed as a page would load it. */
import { build } from 'esbuild'
import { gzipSync } from 'node:zlib'

const PROMISED = { 'src/index.ts': 6000, 'src/react/index.tsx': 3000 }

let failed = false
for (const [entry, most] of Object.entries(PROMISED)) {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    external: ['react', 'react/jsx-runtime'],
    write: false,
  })
  const bytes = gzipSync(outputFiles[0].contents, { level: 9 }).length
  failed ||= bytes > most
  console.log(`${entry}: ${bytes} bytes of ${most} at most`)
}
process.exitCode = failed ? 1 : 0
