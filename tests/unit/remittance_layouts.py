# SPDX-License-Identifier: Apache-2.0
"""Invented remittance layouts with what they say. People, payers and numbers are made up.

Each layout is a way of setting a remittance, not a payer's form: stacked heads, rows of two lines,
claims under a line of labels, claims in left columns, the tape-like Medicare style, a letter to a
member, tables with and without rules.
"""

from __future__ import annotations

from typing import NamedTuple


class Layout(NamedTuple):
    """Pages as text, the claims they show, and the totals of the statement."""

    pages: tuple[str, ...]
    claims: tuple[dict[str, str], ...]
    statement: dict[str, str]


LAYOUTS: dict[str, Layout] = {}

LAYOUTS["columns with identification stacked at the left"] = Layout(
    (
        """
NORTHFIELD HEALTH PLAN                                   REMITTANCE ADVICE

PATIENT NAME     PATIENT ACCT    DATES OF    PROC     UNITS   AMOUNT     AMOUNT     PROVIDER   NOTES  DEDUCT-    CO-PAY    AMOUNT
MEMBER ID        CLAIM NUMBER    SERVICE     CODE             BILLED     ALLOWED    DISCOUNT          IBLE                 PAID
-----------------------------------------------------------------------------------------------------------------------------
ELLA M ROWAN     PA-20931        03/04/2026  99213    1        180.00     112.50      67.50    B4       0.00      25.00      87.50
K55120098        7700123401
TOTALS:                                                        180.00     112.50      67.50             0.00      25.00      87.50
-----------------------------------------------------------------------------------------------------------------------------
JON PIKE         PA-20944        03/05/2026  11042    2        640.00     410.00     230.00    B4     100.00       0.00     310.00
K55120774        7700123466
TOTALS:                                                        640.00     410.00     230.00           100.00       0.00     310.00

B4 - Amount above the contracted rate (CO-45). Member is not responsible.

STATEMENT TOTALS:                                              820.00     522.50     297.50           100.00      25.00     397.50
""",
    ),
    (
        dict(
            patient_name="ELLA M ROWAN", member_id="K55120098", patient_account="PA-20931",
            claim_number="7700123401", service_date="2026-03-04", procedure_code="99213", units="1",
            billed="180.00", allowed="112.50", adjustment="67.50", carc="CO-45", note="B4",
            deductible="0.00", copay="25.00", paid="87.50",
        ),
        dict(
            patient_name="JON PIKE", member_id="K55120774", patient_account="PA-20944",
            claim_number="7700123466", service_date="2026-03-05", procedure_code="11042", units="2",
            billed="640.00", allowed="410.00", adjustment="230.00", carc="CO-45", note="B4",
            deductible="100.00", copay="0.00", paid="310.00",
        ),
    ),
    {
        "total_billed": "820.00", "total_allowed": "522.50", "total_adjustment": "297.50",
        "total_deductible": "100.00", "total_copay": "25.00", "total_paid": "397.50",
    },
)

LAYOUTS["tape of Medicare style"] = Layout(
    (
        """
PERF PROV   SERV DATE    POS NOS  PROC  MODS     BILLED   ALLOWED   DEDUCT    COINS  GRP/RC      AMT   PROV PD
______________________________________________________________________________________________________
NAME HOLT, MARA          HIC 1EG4TE5MK73   ACNT HM8831          ICN 1126044100230  ASG Y  MOA MA01
1639487200  0112 011226  11   1   99214           210.00    128.40     0.00    25.68  CO-45     81.60    102.72
PT RESP    25.68                  CLAIM TOTALS    210.00    128.40     0.00    25.68            81.60    102.72
ADJ TO TOTALS: PREV PD   0.00  INTEREST   0.00  LATE FILING CHARGE   0.00                 NET   102.72
______________________________________________________________________________________________________
NAME BENNET, IRIS        HIC 2FH5UF6NL84   ACNT BI1207          ICN 1126044100244  ASG Y  MOA MA01
1639487200  0114 011426  11   1   99213           150.00     92.00    92.00     0.00  CO-45     58.00      0.00
1639487200  0114 011426  11   1   93000            60.00     18.50     0.00     3.70  CO-45     41.50     14.80
PT RESP    95.70                  CLAIM TOTALS    210.00    110.50    92.00     3.70            99.50     14.80
ADJ TO TOTALS: PREV PD   0.00  INTEREST   0.00  LATE FILING CHARGE   0.00                 NET    14.80
______________________________________________________________________________________________________
TOTALS:  # OF     BILLED    ALLOWED    DEDUCT     COINS    TOTAL     PROV PD   PROV      CHECK
         CLAIMS   AMT       AMT        AMT        AMT      RC-AMT    AMT       ADJ AMT   AMT
             2    420.00     238.90     92.00     29.38    181.10    117.52      0.00    117.52
""",
    ),
    (
        dict(
            patient_name="HOLT, MARA", member_id="1EG4TE5MK73", patient_account="HM8831",
            claim_number="1126044100230", service_date="2026-01-12", procedure_code="99214",
            units="1", billed="210.00", allowed="128.40", adjustment="81.60", carc="CO-45",
            deductible="0.00", coinsurance="25.68", paid="102.72",
        ),
        dict(
            patient_name="BENNET, IRIS", member_id="2FH5UF6NL84", patient_account="BI1207",
            claim_number="1126044100244", service_date="2026-01-14", billed="210.00",
            allowed="110.50", adjustment="99.50", carc="CO-45", deductible="92.00",
            coinsurance="3.70", paid="14.80",
        ),
    ),
    {
        "total_billed": "420.00", "total_allowed": "238.90", "total_deductible": "92.00",
        "total_coinsurance": "29.38", "total_adjustment": "181.10", "total_paid": "117.52",
        "payment_amount": "117.52",
    },
)

LAYOUTS["claims under a line of labels, reason lines below"] = Layout(
    (
        """
Harbor Mutual Insurance                                Explanation of Payment
Payee: Lakeview Physical Therapy        Check Number: 00881234     Check Date: 02/20/2026

Patient: Tomas Reed            Member ID: HMI-7781204      Claim #: 26-00451-A     Acct #: LPT5512
Service Date   Procedure   Qty    Charges     Allowed   Deductible   Coinsurance   Payment   Reason
01/22/2026     97110        2      160.00       98.00         0.00         19.60      78.40   CO-45
01/22/2026     97140        1       85.00       52.00         0.00         10.40      41.60   CO-45
               Claim Total         245.00      150.00         0.00         30.00     120.00

Patient: Ada Quill             Member ID: HMI-5520017      Claim #: 26-00466-B     Acct #: LPT5519
Service Date   Procedure   Qty    Charges     Allowed   Deductible   Coinsurance   Payment   Reason
01/24/2026     97161        1      210.00        0.00         0.00          0.00       0.00   CO-197
               Claim Total         210.00        0.00         0.00          0.00       0.00

Total Paid: $120.00
""",
    ),
    (
        dict(
            patient_name="Tomas Reed", member_id="HMI-7781204", claim_number="26-00451-A",
            patient_account="LPT5512", service_date="2026-01-22", billed="245.00",
            allowed="150.00", deductible="0.00", coinsurance="30.00", paid="120.00", carc="CO-45",
        ),
        dict(
            patient_name="Ada Quill", member_id="HMI-5520017", claim_number="26-00466-B",
            patient_account="LPT5519", service_date="2026-01-24", procedure_code="97161",
            units="1", billed="210.00", allowed="0.00", deductible="0.00", coinsurance="0.00",
            paid="0.00", carc="CO-197",
        ),
    ),
    {"total_paid": "120.00"},
)

LAYOUTS["letter to a member, one claim"] = Layout(
    (
        """
Evergreen Benefit Administrators
Explanation of Benefits - This is not a bill

Member name: Paula Voss            Group number: 40112
Member ID: EBA220917               Claim number: 2026-118-00931
Patient: Nils Voss                 Provider: Dr. Ana Brook

Date of        Service              Amount      Plan       Plan        Deductible   Copay    Your
service        provided             billed      discount   paid                              share
02/03/2026     Office visit         $220.00     $88.00     $102.00     $0.00        $30.00   $30.00
02/03/2026     Blood test            $64.00     $40.00      $0.00     $24.00         $0.00   $24.00
Total                               $284.00    $128.00     $102.00    $24.00        $30.00   $54.00

Amount you may owe: $54.00
""",
    ),
    (
        dict(
            patient_name="Nils Voss", member_id="EBA220917", group_number="40112",
            claim_number="2026-118-00931", service_date="2026-02-03", billed="284.00",
            adjustment="128.00", deductible="24.00", copay="30.00", paid="102.00",
        ),
    ),
    {
        "total_billed": "284.00", "total_adjustment": "128.00", "total_paid": "102.00",
        "total_deductible": "24.00", "total_copay": "30.00", "patient_responsibility": "54.00",
    },
)

LAYOUTS["ruled table, one row per claim"] = Layout(
    (
        """
CASCADE TRUST FUND - PROVIDER VOUCHER 5520

---------------------------------------------------------------------------------------------------------------------------
| Patient        | Patient     | Claim        | Date of    | CPT   | Billed    | Allowed   | Adjust- | Adj.   | Co-     | Paid      |
| Name           | Account No. | Number       | Service    | Code  | Charges   | Amount    | ment    | Reason | pay     | Amount    |
---------------------------------------------------------------------------------------------------------------------------
| Orla Finch     | 88-1201     | CTF26001881  | 02/11/26   | 99203 |    240.00 |    165.00 |   75.00 | CO-45  |   20.00 |    145.00 |
---------------------------------------------------------------------------------------------------------------------------
| Ravi Stone     | 88-1210     | CTF26001893  | 02/12/26   | 20610 |    310.00 |    190.00 |  120.00 | CO-45  |    0.00 |    190.00 |
---------------------------------------------------------------------------------------------------------------------------
| Wen Hart       | 88-1222     | CTF26001904  | 02/12/26   | 99212 |     95.00 |      0.00 |   95.00 | CO-29  |    0.00 |      0.00 |
---------------------------------------------------------------------------------------------------------------------------
|                |             |              |            | Total |    645.00 |    355.00 |  290.00 |        |   20.00 |    335.00 |
---------------------------------------------------------------------------------------------------------------------------
""",
    ),
    (
        dict(
            patient_name="Orla Finch", patient_account="88-1201", claim_number="CTF26001881",
            service_date="2026-02-11", procedure_code="99203", billed="240.00", allowed="165.00",
            adjustment="75.00", carc="CO-45", copay="20.00", paid="145.00",
        ),
        dict(
            patient_name="Ravi Stone", patient_account="88-1210", claim_number="CTF26001893",
            service_date="2026-02-12", procedure_code="20610", billed="310.00", allowed="190.00",
            adjustment="120.00", carc="CO-45", copay="0.00", paid="190.00",
        ),
        dict(
            patient_name="Wen Hart", patient_account="88-1222", claim_number="CTF26001904",
            service_date="2026-02-12", procedure_code="99212", billed="95.00", allowed="0.00",
            adjustment="95.00", carc="CO-29", copay="0.00", paid="0.00",
        ),
    ),
    {
        "total_billed": "645.00", "total_allowed": "355.00", "total_adjustment": "290.00",
        "total_copay": "20.00", "total_paid": "335.00",
    },
)

LAYOUTS["identification in a table of its own"] = Layout(
    (
        """
Summit Valley HMO                                      PROVIDER REMITTANCE

Patient Name           Member ID        Group No.    Patient Acct No.    Claim Number
LENA ORTIZ             SV900118244      G-4410       OR-5512             202602190441

Dates of Service          Svc     Units    Submitted     Negotiated    Not          Copay      Payable
                          Code             Charges       Amount        Payable                 Amount
02/02/2026 - 02/02/2026   90837     1         175.00        120.00        55.00       30.00      90.00
02/09/2026 - 02/09/2026   90837     1         175.00        120.00        55.00       30.00      90.00
TOTALS                                        350.00        240.00       110.00       60.00     180.00

Patient Name           Member ID        Group No.    Patient Acct No.    Claim Number
SAM WILDE              SV900220911      G-4410       OR-5530             202602190457

Dates of Service          Svc     Units    Submitted     Negotiated    Not          Copay      Payable
                          Code             Charges       Amount        Payable                 Amount
02/04/2026 - 02/04/2026   90834     1         140.00         95.00        45.00       30.00      65.00
TOTALS                                        140.00         95.00        45.00       30.00      65.00
""",
    ),
    (
        dict(
            patient_name="LENA ORTIZ", member_id="SV900118244", group_number="G-4410",
            patient_account="OR-5512", claim_number="202602190441", service_date="2026-02-02",
            billed="350.00", allowed="240.00", adjustment="110.00", copay="60.00", paid="180.00",
        ),
        dict(
            patient_name="SAM WILDE", member_id="SV900220911", group_number="G-4410",
            patient_account="OR-5530", claim_number="202602190457", service_date="2026-02-04",
            procedure_code="90834", units="1", billed="140.00", allowed="95.00",
            adjustment="45.00", copay="30.00", paid="65.00",
        ),
    ),
    {},
)

LAYOUTS["a claim over two pages, head repeated"] = Layout(
    (
        """
Prairie States Health                       Remittance Advice            Page 1 of 2
Claim ID: PSH-88120   Patient Name: Greta Lund   Insured ID: 5511-9020   Patient Control #: GL-200

From        Thru        Proc     Units      Charge     Allowed      Deduct      Coins        Paid
04/01/2026  04/01/2026  99222      1        300.00      210.00       50.00      32.00      128.00
04/02/2026  04/02/2026  99231      1        120.00       80.00        0.00      16.00       64.00
""",
        """
Prairie States Health                       Remittance Advice            Page 2 of 2

From        Thru        Proc     Units      Charge     Allowed      Deduct      Coins        Paid
04/03/2026  04/03/2026  99238      1        150.00      100.00        0.00      20.00       80.00
Claim Totals                                570.00      390.00       50.00      68.00      272.00
Check Totals                                570.00      390.00       50.00      68.00      272.00
""",
    ),
    (
        dict(
            patient_name="Greta Lund", member_id="5511-9020", patient_account="GL-200",
            claim_number="PSH-88120", service_date="2026-04-01", billed="570.00",
            allowed="390.00", deductible="50.00", coinsurance="68.00", paid="272.00",
        ),
    ),
    {
        "total_billed": "570.00", "total_allowed": "390.00", "total_deductible": "50.00",
        "total_coinsurance": "68.00", "total_paid": "272.00",
    },
)

LAYOUTS["rows of two lines under a stacked head"] = Layout(
    (
        """
Blue Canyon Administrators

Subscriber ID: BC7719002     Patient Name: Hugo Lane      Claim No: BCA-260218-7   Account: 44120

Service Date    Procedure     Charged       Deductible    Adjustment     Paid
                Units         Allowed       Copay         Reason Code
01/30/2026      99215          260.00            0.00         92.00      138.00
                1              168.00           30.00         CO-45
01/30/2026      81003           22.00            0.00         15.60        6.40
                1                6.40            0.00         CO-45
Totals                         282.00            0.00        107.60      144.40
""",
    ),
    (
        dict(
            patient_name="Hugo Lane", member_id="BC7719002", claim_number="BCA-260218-7",
            patient_account="44120", service_date="2026-01-30", billed="282.00",
            adjustment="107.60", paid="144.40", deductible="0.00", carc="CO-45",
            allowed="174.40", copay="30.00",
        ),
    ),
    {"total_billed": "282.00", "total_adjustment": "107.60", "total_paid": "144.40"},
)

LAYOUTS["groups and reasons in columns of their own, no rules"] = Layout(
    (
        """
STATE EMPLOYEES PLAN  EXPLANATION OF PAYMENT

CLAIM NUMBER: SEP0091177   PATIENT NAME: DORA KEEN   ID NUMBER: 330-91-7712A   PATIENT ACCOUNT NUMBER: DK-10

SERVICE    PROC               BILLED     ALLOWED                          REASON     ADJ               COINS    AMOUNT
DATE       CODE    UNITS      AMOUNT     AMOUNT     DEDUCTIBLE    GRP     CODE       AMOUNT   COPAY    AMT      PAID
030226     99396   1          280.00     195.00           0.00    CO      45          85.00    0.00     0.00    195.00
030226     G0444   1           45.00       0.00           0.00    CO      97          45.00    0.00     0.00      0.00
CLAIM TOTAL                   325.00     195.00           0.00                       130.00    0.00     0.00    195.00
""",
    ),
    (
        dict(
            patient_name="DORA KEEN", claim_number="SEP0091177", member_id="330-91-7712A",
            patient_account="DK-10", service_date="2026-03-02", billed="325.00",
            allowed="195.00", adjustment="130.00", deductible="0.00", copay="0.00",
            coinsurance="0.00", paid="195.00", carc="CO-45, CO-97",
        ),
    ),
    {},
)

LAYOUTS["patient responsibility and negative amounts of a reversal"] = Layout(
    (
        """
Meridian Care                                                   Electronic Remittance (printed)

Patient        Member Number   Claim ID      Acct           DOS         Code    Charges      Allowed    Contractual   Patient     Net
                                                                                                        Adj           Resp        Paid
Kit Moran      MC4410021       R9901-1       KM77           12/01/2025  99213   (150.00)     (90.00)      (60.00)     (20.00)     (70.00)
Kit Moran      MC4410021       R9901-2       KM77           12/01/2025  99214    215.00      130.00        85.00       20.00      110.00

Total: 2 claims                                                                   65.00       40.00        25.00        0.00       40.00
""",
    ),
    (
        dict(
            patient_name="Kit Moran", member_id="MC4410021", claim_number="R9901-1",
            patient_account="KM77", service_date="2025-12-01", procedure_code="99213",
            billed="-150.00", allowed="-90.00", adjustment="-60.00", paid="-70.00",
        ),
        dict(
            patient_name="Kit Moran", member_id="MC4410021", claim_number="R9901-2",
            patient_account="KM77", service_date="2025-12-01", procedure_code="99214",
            billed="215.00", allowed="130.00", adjustment="85.00", paid="110.00",
        ),
    ),
    {
        "total_billed": "65.00", "total_allowed": "40.00", "total_adjustment": "25.00",
        "patient_responsibility": "0.00", "total_paid": "40.00",
    },
)

LAYOUTS["wrapped description and a check stub"] = Layout(
    (
        """
Tri-County Welfare Fund              Check No. 449120          Date 03/06/2026

Employee: Rosa Field                 Patient: Rosa Field
Employee ID: 9912207                 Claim No: W26-3310
Group: Local 112                     Patient Acct: RF-0091

Service dates   Description of service        Total       Not         Eligible    Deductible   Co-      Paid    Benefit
                                              charge      covered     charge                   insurance  at    amount
02/17/2026      SURGERY - OFFICE, EXCISION    450.00      130.00      320.00         50.00       54.00  80%     216.00
                OF LESION, TRUNK
02/17/2026      PATHOLOGY                     120.00       40.00       80.00          0.00       16.00  80%      64.00
Totals                                        570.00      170.00      400.00         50.00       70.00          280.00

Payment summary
Payee                          Check number     Check date      Check amount
Dr. Lee Brandt                 449120           03/06/2026      $280.00
""",
    ),
    (
        dict(
            patient_name="Rosa Field", claim_number="W26-3310", patient_account="RF-0091",
            service_date="2026-02-17", billed="570.00", adjustment="170.00", allowed="400.00",
            deductible="50.00", coinsurance="70.00", paid="280.00",
        ),
    ),
    {
        "total_billed": "570.00", "total_adjustment": "170.00", "total_allowed": "400.00",
        "total_deductible": "50.00", "total_coinsurance": "70.00", "total_paid": "280.00",
        "payment_amount": "280.00", "eft_number": "449120", "payment_date": "2026-03-06",
    },
)

LAYOUTS["labelled block per claim, amounts in a list"] = Layout(
    (
        """
Great Lakes Dental                              Claim Detail

Claim Number: GLD-55120
Patient Name: Otto Bergman
Subscriber ID: GL0091827
Date of Service: 02/25/2026
Procedure Code: D1110
Amount Billed: $118.00
Allowed Amount: $82.00
Provider Write-off: $36.00
Deductible: $0.00
Copay: $10.00
Plan Paid: $72.00
Patient Responsibility: $10.00
""",
    ),
    (
        dict(
            claim_number="GLD-55120", patient_name="Otto Bergman", member_id="GL0091827",
            service_date="2026-02-25", billed="118.00", allowed="82.00", adjustment="36.00",
            deductible="0.00", copay="10.00", paid="72.00",
        ),
    ),
    {},
)

LAYOUTS["member, claim and account in three rows of the left column"] = Layout(
    (
        """
PACIFIC COAST LABORERS PLAN

Claimant / Claim        Service       CPT /        Charges      Plan          Ineligible     Ded /        Plan        See
                        Date          HCPCS                     Allowance     Amount         Copay        Payment     Note
Ivy Calloway            01/08/2026    J1885          40.00         12.00         28.00         0.00        12.00      41
Claim: 600112-7         01/08/2026    96372          55.00         24.00         31.00         0.00        24.00      41
Acct: CAL-2                                          95.00         36.00         59.00         0.00        36.00

41  The charge is more than the plan allowance.  (CO-45)
""",
    ),
    (
        dict(
            claim_number="600112-7", patient_account="CAL-2", service_date="2026-01-08",
            billed="95.00", allowed="36.00", adjustment="59.00", paid="36.00", carc="CO-45",
        ),
    ),
    {},
)
