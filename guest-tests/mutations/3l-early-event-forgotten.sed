# SPDX-License-Identifier: GPL-2.0-or-later
# event_3l.c
# An event that comes before its vCPU's selector is not noted.
# hvm64 3l
/if (unlikely(!selector)) {/,/return false;/s/evtchn_store(&chn->retry, .*);/(void)chn;/
