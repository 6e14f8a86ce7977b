import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['tests/**/*.test.{ts,tsx}'],
    environment: 'node',
    setupFiles: ['tests/setup.ts'],
    // The clock is a fake one: what takes long in earnest is a busy machine, and no finding.
    testTimeout: 60_000,
  },
})
