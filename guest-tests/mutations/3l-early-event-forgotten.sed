# SPDX-License-Identifier: GPL-2.0-or-later
# event_3l.c
# An event that comes before its vCPU's selector is not noted.
# hvm64 3l
/if (unlikely(!v->l2_selector)) {/,/return false;/s/evtchn_fetch_or(&chn->pending, EVTCHN_RETRY_LINK);/(void)chn;/
