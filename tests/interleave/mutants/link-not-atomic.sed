# SPDX-License-Identifier: GPL-2.0-or-later
# Links to a tail that the guest may be taking off at the same time.
s/if (likely(evtchn_cmpxchg(word, &w, (w & ~EVTCHN_FIFO_LINK_MASK) | port))) {/evtchn_store(word, (w \& ~EVTCHN_FIFO_LINK_MASK) | port); if (true) {/
