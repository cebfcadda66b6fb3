# SPDX-License-Identifier: GPL-2.0-or-later
# Links to a tail that the guest may be taking off at the same time.
s/if (likely(evtchn_cmpxchg(word, &w, (w & keep) | port))) {/evtchn_store(word, (w \& keep) | port); if (true) {/
