"""ANSWER: whatever can answer a contract's inputs. May import `contracts` and the floors below."""
