"""The addresses of recoveries."""

from __future__ import annotations

from django.urls import path

from recoveries import views

recovery_patterns = [
    path("recoveries/", views.recovery_list, name="recoveries"),
    path("recoveries/new/", views.new, name="recovery-new"),
    path("recoveries/<int:pk>/", views.recovery, name="recovery"),
    path("recoveries/<int:pk>/choose/", views.choose, name="recovery-choose"),
    path("recoveries/<int:pk>/ask/", views.ask_again, name="recovery-ask"),
    path("recoveries/<int:pk>/submit/", views.submit, name="recovery-submit"),
    path("recoveries/<int:pk>/withdraw/", views.withdraw, name="recovery-withdraw"),
    path("recoveries/<int:pk>/sign/", views.sign, name="recovery-sign"),
    path("recoveries/<int:pk>/sign/begin/", views.begin, name="recovery-sign-begin"),
    path("recoveries/<int:pk>/start/", views.start, name="recovery-start"),
    path("recoveries/<int:pk>/resume/", views.resume, name="recovery-resume"),
    path("recoveries/<int:pk>/answer/<slug:item>/", views.answer, name="recovery-answer"),
    path("recoveries/<int:pk>/downtime/", views.downtime, name="recovery-downtime"),
    path("recoveries/<int:pk>/close/", views.close, name="recovery-close"),
]
