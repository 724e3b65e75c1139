"""python -m pomprobe"""

from .cli import main

main()
