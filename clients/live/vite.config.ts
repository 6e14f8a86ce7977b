import react from '@vitejs/plugin-react'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const client = (path: string): string => fileURLToPath(new URL(`../typescript/src/${path}`, import.meta.url))

/** Where `npm run dev` finds the server, such as one that `make run` has started. It sees its page's own host and origin. */
const server = { target: process.env.USHER_SERVER ?? 'http://127.0.0.1:8000', changeOrigin: false, ws: true }

export default defineConfig(({ command }) => ({
  plugins: [react()],
  // Django serves what is built among its static files, and renders the page around it from the manifest.
  base: command === 'build' ? '/static/live/' : '/',
  resolve: {
    // The client's source and not what is built of it: neither has to wait for the other.
    alias: [
      { find: /^@usher\/client$/, replacement: client('index.ts') },
      { find: /^@usher\/client\/react$/, replacement: client('react/index.tsx') },
      { find: /^@usher\/client\/testing$/, replacement: client('testing/index.ts') },
    ],
    dedupe: ['react', 'react-dom'],
  },
  build: {
    manifest: true,
    // A data: address is refused by the page's content security policy.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 600,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: 'src/main.tsx' },
  },
  server: { proxy: { '/api': server, '/admin': server, '/static': server, '/ws': server } },
  test: {
    include: ['tests/**/*.test.{ts,tsx}'],
    environment: 'happy-dom',
    setupFiles: ['tests/setup.ts'],
    // Typing takes seconds where many other tests run beside these.
    testTimeout: 30_000,
  },
}))
