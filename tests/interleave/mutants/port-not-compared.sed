# SPDX-License-Identifier: GPL-2.0-or-later
# A port is changed by the binding that it had before its queue was locked.
s/if (likely(evtchn_load(&chn->binding) == b)) {/if (true) {/
