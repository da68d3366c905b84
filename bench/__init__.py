"""What the program costs: CPU, memory and API calls, measured on the sandbox and printed as one table. Not shipped.

    python -m bench                # about two minutes
    FULL=1 python -m bench         # with 200,000 people: about ten
    python -m bench first quiet    # only these

The sandbox runs in a process of its own, so that it is not what is measured. CPU is user + system time of all threads of our process, from its
start to its end. Ratios compare two measurements of the same run: absolute times hold for one machine on one day.
"""
