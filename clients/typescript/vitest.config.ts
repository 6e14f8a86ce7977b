import { defineConfig } from 'vitest/config'

const source = (path: string): string => new URL(`./src/${path}`, import.meta.url).pathname

export default defineConfig({
  // What is built on the client imports it by its name.
  resolve: {
    alias: [
      { find: /^@usher\/client$/, replacement: source('index.ts') },
      { find: /^@usher\/client\/react$/, replacement: source('react/index.tsx') },
      { find: /^@usher\/client\/testing$/, replacement: source('testing/index.ts') },
      // What a phone brings, and no machine that tests.
      {
        find: /^(react-native|@react-native-community\/netinfo|expo-secure-store)$/,
        replacement: new URL('./tests/mobile/standins.tsx', import.meta.url).pathname,
      },
    ],
  },
  test: {
    include: ['tests/**/*.test.{ts,tsx}'],
    environment: 'node',
    setupFiles: ['tests/setup.ts'],
    // The clock is a fake one: what takes long in earnest is a busy machine, and no finding.
    testTimeout: 60_000,
  },
})
