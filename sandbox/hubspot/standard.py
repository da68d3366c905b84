"""The contact properties that every portal has, in a form that is easy to read: one line each."""

from __future__ import annotations

STAGES = (
    ("subscriber", "Subscriber"),
    ("lead", "Lead"),
    ("marketingqualifiedlead", "Marketing Qualified Lead"),
    ("salesqualifiedlead", "Sales Qualified Lead"),
    ("opportunity", "Opportunity"),
    ("customer", "Customer"),
    ("evangelist", "Evangelist"),
    ("other", "Other"),
)
"""The default lifecycle stages as (value, label), in their order."""

_LEAD_STATUSES = "NEW=New;OPEN=Open;IN_PROGRESS=In Progress;OPEN_DEAL=Open Deal;UNQUALIFIED=Unqualified"
_LEAD_STATUSES += ";ATTEMPTED_TO_CONTACT=Attempted to Contact;CONNECTED=Connected;BAD_TIMING=Bad Timing"
_SOURCES = "ORGANIC_SEARCH=Organic Search;PAID_SEARCH=Paid Search;EMAIL_MARKETING=Email Marketing;SOCIAL_MEDIA=Organic Social"
_SOURCES += ";REFERRALS=Referrals;OTHER_CAMPAIGNS=Other Campaigns;DIRECT_TRAFFIC=Direct Traffic;OFFLINE=Offline Sources;PAID_SOCIAL=Paid Social"
_BASES = "Legitimate interest – prospect/lead;Legitimate interest – existing customer;Legitimate interest - other"
_BASES += ";Performance of a contract;Freely given consent from contact;Not applicable"
_BUYING_ROLES = "BLOCKER=Blocker;BUDGET_HOLDER=Budget Holder;CHAMPION=Champion;DECISION_MAKER=Decision Maker;END_USER=End User"
_BUYING_ROLES += ";EXECUTIVE_SPONSOR=Executive Sponsor;INFLUENCER=Influencer;LEGAL_AND_COMPLIANCE=Legal & Compliance;OTHER=Other"

# name | label | type | field type | flags (r = read-only value, c = calculated, t = read-only definition) | options
TABLE = f"""
email|Email|string|text|t
firstname|First Name|string|text|t
lastname|Last Name|string|text|t
salutation|Salutation|string|text|
phone|Phone Number|string|phonenumber|
mobilephone|Mobile Phone Number|string|phonenumber|
fax|Fax Number|string|phonenumber|
address|Street Address|string|text|
city|City|string|text|
state|State/Region|string|text|
zip|Postal Code|string|text|
country|Country/Region|string|text|
hs_country_region_code|Country/Region Code|string|text|
hs_state_code|State/Region Code|string|text|
company|Company Name|string|text|
associatedcompanyid|Primary Associated Company ID|number|number|rt
jobtitle|Job Title|string|text|
job_function|Job function|string|text|
seniority|Seniority|string|text|
industry|Industry|string|text|
company_size|Company size|string|text|
numemployees|Number of Employees|string|text|
annualrevenue|Annual Revenue|string|text|
website|Website URL|string|text|
linkedinbio|LinkedIn Bio|string|text|
hs_linkedin_url|LinkedIn URL|string|text|
twitterhandle|Twitter Username|string|text|
date_of_birth|Date of birth|string|text|
gender|Gender|string|text|
message|Message|string|textarea|
hs_language|Preferred language|string|text|
hs_timezone|Time Zone|string|text|
closedate|Close Date|datetime|date|
lifecyclestage|Lifecycle Stage|enumeration|radio|t
hs_lead_status|Lead Status|enumeration|radio|t|{_LEAD_STATUSES}
hubspot_owner_id|Contact owner|enumeration|select|t
hubspot_owner_assigneddate|Owner assigned date|datetime|date|rct
hubspot_team_id|HubSpot Team|enumeration|select|rt
hs_persona|Persona|enumeration|select|
hs_buying_role|Buying Role|enumeration|checkbox||{_BUYING_ROLES}
hs_legal_basis|Legal basis for processing contact's data|enumeration|checkbox||{_BASES}
hs_email_optout|Unsubscribed from all email|bool|booleancheckbox|rt|true=Yes;false=No
hs_email_optout_101|Opted out of email: Marketing Information|enumeration|booleancheckbox|rt|true=Yes;false=No
hs_email_optout_102|Opted out of email: One to One|enumeration|booleancheckbox|rt|true=Yes;false=No
hs_marketable_status|Marketing contact status|enumeration|select|rt|true=Marketing contact;false=Non-marketing contact
hs_email_quarantined|Email address quarantined|bool|booleancheckbox|rt|true=Yes;false=No
hs_email_is_ineligible|Is globally ineligible|bool|booleancheckbox|rt|true=Yes;false=No
hs_email_hard_bounce_reason_enum|Email hard bounce reason|enumeration|select|rt|OTHER=Other;UNKNOWN_USER=Unknown user;SPAM=Spam;MAILBOX_FULL=Mailbox full
hs_email_open|Marketing emails opened|number|number|rt
hs_email_click|Marketing emails clicked|number|number|rt
hs_email_replied|Marketing emails replied|number|number|rt
hs_email_bounce|Marketing emails bounced|number|number|rt
hs_email_delivered|Marketing emails delivered|number|number|rt
hs_email_last_open_date|Last marketing email open date|datetime|date|rt
hs_email_last_click_date|Last marketing email click date|datetime|date|rt
hs_email_last_send_date|Last marketing email send date|datetime|date|rt
hs_email_last_reply_date|Last marketing email reply date|datetime|date|rt
hs_sales_email_last_opened|Recent sales email opened date|datetime|date|rt
hs_sales_email_last_replied|Recent sales email replied date|datetime|date|rt
first_conversion_event_name|First conversion|string|text|rct
first_conversion_date|First conversion date|datetime|date|rct
recent_conversion_event_name|Recent conversion|string|text|rct
recent_conversion_date|Recent conversion date|datetime|date|rct
num_conversion_events|Number of form submissions|number|number|rct
num_unique_conversion_events|Number of unique forms submitted|number|number|rct
hs_analytics_source|Original traffic source|enumeration|select|t|{_SOURCES}
hs_analytics_source_data_1|Original source drill-down 1|string|text|rt
hs_analytics_source_data_2|Original source drill-down 2|string|text|rt
hs_latest_source|Latest traffic source|enumeration|select|rt|{_SOURCES}
hs_latest_source_data_1|Latest source drill-down 1|string|text|rt
hs_latest_source_data_2|Latest source drill-down 2|string|text|rt
hs_latest_source_timestamp|Latest traffic source date|datetime|date|rt
hs_analytics_first_timestamp|Time first seen|datetime|date|rt
hs_analytics_last_timestamp|Time of last session|datetime|date|rt
hs_analytics_num_visits|Number of sessions|number|number|rt
hs_analytics_num_page_views|Number of pageviews|number|number|rt
hs_analytics_first_url|First page seen|string|text|rt
hs_analytics_last_url|Last page seen|string|text|rt
hubspotscore|HubSpot score|number|number|rct
hs_predictivescoringtier|Contact priority|enumeration|radio|rt|tier_1=Very high;tier_2=High;tier_3=Medium;tier_4=Low;closed_won=Closed won
hs_predictivecontactscore_v2|Likelihood to close|number|number|rt
notes_last_contacted|Last contacted|datetime|date|rt
notes_last_updated|Last activity date|datetime|date|rt
hs_last_sales_activity_timestamp|Last engagement date|datetime|date|rt
engagements_last_meeting_booked|Date of last meeting booked|datetime|date|rt
num_notes|Number of sales activities|number|number|rt
num_contacted_notes|Number of times contacted|number|number|rt
num_associated_deals|Number of associated deals|number|number|rct
recent_deal_close_date|Recent deal close date|datetime|date|rct
recent_deal_amount|Recent deal amount|number|number|rct
total_revenue|Total revenue|number|number|rct
associatedcompanyid|Primary associated company id|number|number|t
hs_additional_emails|Additional email addresses|enumeration|checkbox|rt
hs_email_domain|Email domain|string|text|rct
hs_full_name_or_email|Full name or email|string|text|rct
hs_calculated_phone_number|Calculated phone number|string|text|rct
hs_calculated_merged_vids|Merged vids with timestamps|enumeration|text|rct
hs_merged_object_ids|Merged record ids|enumeration|checkbox|rct
hs_all_contact_vids|All vids for a contact|enumeration|checkbox|rct
hs_object_id|Record ID|number|number|rct
hs_object_source|Record source|string|text|rt
hs_object_source_id|Record source id|string|text|rt
hs_object_source_label|Record source label|string|text|rt
hs_object_source_user_id|Record source user id|number|number|rt
hs_created_by_user_id|Created by user id|number|number|rt
hs_updated_by_user_id|Updated by user id|number|number|rt
createdate|Create Date|datetime|date|rt
lastmodifieddate|Last Modified Date|datetime|date|rct
hs_v2_date_entered_current_stage|Date entered current stage|datetime|date|rct
"""
